"""The task table and its rules."""
