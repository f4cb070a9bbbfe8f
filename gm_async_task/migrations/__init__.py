"""Alembic migrations of the task database."""
