"""Chooses the real things and puts the service together."""

from __future__ import annotations

from apiflask import APIFlask
from flask import request
from sqlalchemy.engine import Engine

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.routes.health import health_routes
from gm_async_task.routes.task import task_routes
from gm_async_task.routes.worker import explain_routes, release_routes, worker_routes
from gm_async_task.tasks.census import Census
from gm_async_task.tasks.meter import TaskMeter
from gm_async_task.tasks.runs import RunService
from gm_async_task.tasks.service import TaskService
from gm_async_task.workers.explaining import Explainer
from gm_async_task.workers.refusals import RefusalService
from gm_async_task.workers.releases import ReleaseService
from gm_async_task.workers.service import WorkerService
from shared.database import DatabaseClock, make_engine
from shared.logs import configure_logs
from shared.metrics.exposition import Exposition
from shared.metrics.folder import open_folder
from shared.metrics.meters import Meters
from shared.metrics.table import ASYNC_TASK
from shared.web.app import QUIET_PATHS, make_app, require_service_key
from shared.web.metering import count_requests, metrics_routes


def create_app() -> APIFlask:
    """Return the service as the environment configures it."""
    settings = AsyncTaskSettings()
    configure_logs("gm_async_task", settings.log_level, settings.secrets())
    open_folder(ASYNC_TASK)
    engine = make_engine(settings.async_task_database_url.get_secret_value())
    return assemble(settings, engine, DatabaseClock())


def assemble(settings: AsyncTaskSettings, engine: Engine, clock: DatabaseClock) -> APIFlask:
    """Return the service made of these parts."""
    app = make_app("gm_async_task", "gm_async_task: the task API", settings)
    meters = Meters(ASYNC_TASK)
    meter = TaskMeter(meters)

    @app.before_request
    def _ask_for_key() -> None:
        if request.path not in QUIET_PATHS:
            require_service_key(settings)

    count_requests(app, meters)
    app.register_blueprint(health_routes(engine))
    exposition = Exposition(meters, settings.present_release, Census(engine, clock).read_gauges)
    app.register_blueprint(metrics_routes(exposition, settings))
    releases = ReleaseService(engine, settings, clock)
    tasks = TaskService(engine, settings, clock, meter, releases.choose_lane)
    app.register_blueprint(task_routes(tasks, RunService(engine, settings, clock, meter)))
    workers, refusals = WorkerService(engine, settings, clock), RefusalService(engine, settings, clock, meter)
    app.register_blueprint(worker_routes(workers, refusals))
    app.register_blueprint(release_routes(releases))
    app.register_blueprint(explain_routes(Explainer(engine, settings, clock, workers)))
    return app
