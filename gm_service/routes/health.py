"""What gm_service needs to be ready: its database and the task service. A broker that is away is only shown.

Tasks are accepted without it, and rung for later.
"""

from __future__ import annotations

from collections.abc import Callable

from apiflask import APIBlueprint
from sqlalchemy import text
from sqlalchemy.engine import Engine

from shared.database import in_read
from shared.task_api.client import TaskClient
from shared.web import readiness

# No station has it, so the list is empty; asked, it proves address, service key and the task database at once.
_PROBE_STATION_ID = "~readyz"


def health_routes(engine: Engine, task_client: TaskClient, broker_state: Callable[[], str]) -> APIBlueprint:
    """Return the blueprint of the health endpoints; `broker_state` tells what the last ring found."""
    needs = {
        "database": lambda: in_read(engine, lambda connection: connection.execute(text("SELECT 1")).all()),
        "task service": lambda: task_client.list(_PROBE_STATION_ID, limit=1),
    }
    return readiness.health_routes(readiness.Readiness(needs), lambda: {"broker": broker_state()})
