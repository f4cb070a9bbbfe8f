"""Chooses the real things and puts the service together."""

from __future__ import annotations

from apiflask import APIFlask
from flask import request
from sqlalchemy.engine import Engine

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.db import ANSWER_SECONDS, nonces
from gm_async_task.routes.health import health_routes
from gm_async_task.routes.task import task_routes
from gm_async_task.tasks.runs import RunService
from gm_async_task.tasks.service import TaskService
from shared.database import DatabaseClock, make_engine
from shared.logs import configure_logs
from shared.signing.guard import CallGuard
from shared.signing.nonces import NonceStore
from shared.web.app import make_app

_OPEN_PATHS = frozenset({"/healthz", "/readyz"})


def create_app() -> APIFlask:
    """Return the service as the environment configures it."""
    settings = AsyncTaskSettings()
    configure_logs("gm_async_task", settings.log_level, settings.secrets())
    engine = make_engine(settings.async_task_database_url.get_secret_value(), answer_seconds=ANSWER_SECONDS)
    return assemble(settings, engine, DatabaseClock())


def assemble(settings: AsyncTaskSettings, engine: Engine, clock: DatabaseClock) -> APIFlask:
    """Return the service made of these parts."""
    app = make_app("gm_async_task", "gm_async_task: the task API", settings)
    guard = CallGuard(settings, NonceStore(engine, nonces))

    @app.before_request
    def _ask_for_key() -> None:
        if request.path not in _OPEN_PATHS:
            guard.check()

    app.register_blueprint(health_routes(engine))
    app.register_blueprint(task_routes(TaskService(engine, settings, clock), RunService(engine, settings, clock)))
    return app
