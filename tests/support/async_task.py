"""gm_async_task for tests: its settings, its database, its real application behind the real client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.engine import Engine

from gm_async_task.app import assemble
from gm_async_task.config import AsyncTaskSettings
from gm_async_task.db import metadata
from gm_async_task.migrate import SCRIPTS
from shared.database import DatabaseClock, make_engine
from shared.migrate import upgrade
from shared.task_api.dispatch import TaskQueue
from shared.task_api.transport import Method, unwrap
from shared.web import strict_json
from tests.support.queues import SilentQueue

AUTH_KEY = "test-key-" + "0" * 32


def make_settings(**changes: Any) -> AsyncTaskSettings:
    """Return settings that depend on nothing outside the test."""
    given = {
        "auth_key": AUTH_KEY,
        "broker_url": "doorbell:////nowhere",
        "files_dir": Path("/nowhere"),
        "async_task_database_url": "sqlite://",
        "timezone": "UTC",
        **changes,
    }
    return AsyncTaskSettings(_env_file=None, **given)


def make_database(url: str) -> Engine:
    """Return an engine on a database with the newest schema."""
    engine = make_engine(url)
    upgrade(engine, SCRIPTS, metadata, "alembic_async_task")
    return engine


def make_service(
    engine: Engine, clock: DatabaseClock | None = None, queue: TaskQueue | None = None, **changes: Any
) -> Flask:
    """Return the real application on `engine`; without a queue it rings for nobody."""
    return assemble(make_settings(**changes), engine, clock or DatabaseClock(), queue or SilentQueue())


class AppTransport:
    """A `Transport` into an application in this process, through its real HTTP edge."""

    def __init__(self, app: Flask, auth_key: str = AUTH_KEY) -> None:
        self._app = app
        self._auth_key = auth_key

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """See `Transport.call`."""
        response = self._app.test_client().open(
            path,
            method=method,
            query_string=parameters if method == "GET" else None,
            data=strict_json.dumps(parameters) if method == "POST" else None,
            headers={"X-Auth-Key": self._auth_key},
        )
        return unwrap(response.status_code, response.data)
