"""The worker: runs registered task functions that messages name, and talks to the task API; it has no database."""
