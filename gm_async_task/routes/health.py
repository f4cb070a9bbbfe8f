"""/healthz: the process answers. /readyz: what it needs is there. The only endpoints without a key."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from sqlalchemy import select
from sqlalchemy.engine import Engine

from gm_async_task.tasks.models import tasks
from shared.database import in_read
from shared.envelope import success


def health_routes(engine: Engine) -> APIBlueprint:
    """Return the blueprint of the health endpoints."""
    routes = APIBlueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> dict[str, Any]:
        return success({"status": "ok"})

    @routes.get("/readyz")
    def readyz() -> dict[str, Any]:
        in_read(engine, lambda connection: connection.execute(select(tasks.c.id).limit(1)).all())
        return success({"status": "ok"})

    return routes
