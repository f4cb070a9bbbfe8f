"""Runs migrations on the connection that `gm_service.migrate` hands over; there is no offline mode."""

from __future__ import annotations

import importlib
import pkgutil

from alembic import context

import gm_service
from gm_service.db import metadata

# Every feature's tables, so that a comparison with the database sees them all.
for module in pkgutil.iter_modules(gm_service.__path__):
    if module.ispkg and importlib.util.find_spec(f"gm_service.{module.name}.models"):
        importlib.import_module(f"gm_service.{module.name}.models")

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    # A name of its own: the services may share a database.
    version_table="gm_service_version",
)
with context.begin_transaction():
    context.run_migrations()
