"""What gm_async_task needs to be ready: its database, and no broker, without which tasks are accepted too."""

from __future__ import annotations

from apiflask import APIBlueprint
from sqlalchemy import select
from sqlalchemy.engine import Engine

from gm_async_task.tasks.models import tasks
from shared.database import in_read
from shared.web import readiness


def health_routes(engine: Engine) -> APIBlueprint:
    """Return the blueprint of the health endpoints."""

    def ask_database() -> None:
        in_read(engine, lambda connection: connection.execute(select(tasks.c.id).limit(1)).all())

    return readiness.health_routes(readiness.Readiness({"database": ask_database}))
