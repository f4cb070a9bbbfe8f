"""/healthz: the process answers. /readyz: the database and the task service are there. Neither asks who is calling."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from sqlalchemy import text
from sqlalchemy.engine import Engine

from shared.database import in_read
from shared.envelope import success
from shared.task_api.client import TaskClient

# No station has it, so the list is empty; asked, it proves address, service key and the task database at once.
_PROBE_STATION_ID = "~readyz"


def health_routes(engine: Engine, task_client: TaskClient) -> APIBlueprint:
    """Return the blueprint of the health endpoints."""
    routes = APIBlueprint("health", __name__, tag="Health")

    @routes.get("/healthz")
    def healthz() -> dict[str, Any]:
        """Tell that the process answers."""
        return success({"status": "ok"})

    @routes.get("/readyz")
    def readyz() -> dict[str, Any]:
        """Tell that what the service needs is there, else 503."""
        in_read(engine, lambda connection: connection.execute(text("SELECT 1")).all())
        task_client.list(_PROBE_STATION_ID, limit=1)
        return success({"status": "ok"})

    return routes
