"""What gm_async_task needs to be ready: its database, and no broker, without which tasks are accepted too."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from apiflask import APIBlueprint
from sqlalchemy import select
from sqlalchemy.engine import Engine

from gm_async_task.tasks.models import tasks
from gm_async_task.workflow.plugins import Plugins
from shared.database import in_read
from shared.web import readiness


def health_routes(engine: Engine, plugins: Plugins) -> APIBlueprint:
    """Return the blueprint of the health endpoints."""

    def ask_database() -> None:
        in_read(engine, lambda connection: connection.execute(select(tasks.c.id).limit(1)).all())

    def tell_plugins() -> dict[str, Any]:
        # A file's name, not what is in it: this endpoint asks for no key. The log says what is wrong.
        broken = sorted(PurePath(path).name for path in plugins.problems())
        return {"plugins": plugins.names(), "broken_plugins": broken}

    return readiness.health_routes(readiness.Readiness({"database": ask_database}), tell_plugins)
