"""Alembic's entry; what it does is the same for every service."""

from alembic import context

from shared.migrate import run_environment

run_environment(context)  # type: ignore[arg-type]
