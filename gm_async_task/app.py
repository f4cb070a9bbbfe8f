"""Chooses the real things and puts the service together."""

from __future__ import annotations

from apiflask import APIFlask
from flask import request
from sqlalchemy.engine import Engine

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.db import ANSWER_SECONDS, nonces
from gm_async_task.routes.health import health_routes
from gm_async_task.routes.task import task_routes
from gm_async_task.routes.worker import explain_routes, release_routes, worker_routes
from gm_async_task.routes.xingqiao import xingqiao_routes
from gm_async_task.tasks.census import Census
from gm_async_task.tasks.meter import TaskMeter
from gm_async_task.tasks.runs import RunService
from gm_async_task.tasks.service import TaskService
from gm_async_task.workers.explaining import Explainer
from gm_async_task.workers.refusals import RefusalService
from gm_async_task.workers.releases import ReleaseService
from gm_async_task.workers.service import WorkerService
from gm_async_task.workflow.room import make_workflow_room
from shared.broker.queue import make_task_queue
from shared.database import DatabaseClock, make_engine
from shared.logs import configure_logs
from shared.metrics.calls import CountingQueue
from shared.metrics.exposition import Exposition
from shared.metrics.folder import open_folder
from shared.metrics.meters import Meters
from shared.metrics.table import ASYNC_TASK
from shared.signing.guard import CallGuard
from shared.signing.nonces import NonceStore
from shared.starting import starting
from shared.task_api.dispatch import TaskQueue
from shared.web.app import QUIET_PATHS, make_app
from shared.web.metering import count_requests, metrics_routes


def create_app() -> APIFlask:
    """Return the service as the environment configures it."""
    with starting("gm_async_task"):
        settings = AsyncTaskSettings()
        configure_logs("gm_async_task", settings.log_level, settings.secrets())
        open_folder(ASYNC_TASK)
        engine = make_engine(settings.async_task_database_url.get_secret_value(), answer_seconds=ANSWER_SECONDS)
        queue = make_task_queue(settings.broker_url.get_secret_value())
    return assemble(settings, engine, DatabaseClock(), queue)


def assemble(settings: AsyncTaskSettings, engine: Engine, clock: DatabaseClock, queue: TaskQueue) -> APIFlask:
    """Return the service made of these parts."""
    app = make_app("gm_async_task", "gm_async_task: the task API", settings)
    meters = Meters(ASYNC_TASK)
    meter = TaskMeter(meters)
    guard = CallGuard(settings, NonceStore(engine, nonces))

    @app.before_request
    def _ask_for_key() -> None:
        if request.path not in QUIET_PATHS:
            guard.check()

    count_requests(app, meters)
    room = make_workflow_room(engine, settings, clock, CountingQueue(queue, meters))
    app.register_blueprint(health_routes(engine, room.plugins))
    exposition = Exposition(meters, settings.present_release, Census(engine, clock).read_gauges)
    app.register_blueprint(metrics_routes(exposition, settings))
    releases = ReleaseService(engine, settings, clock)
    tasks = TaskService(engine, settings, clock, meter, releases.choose_lane, follower=room.job_engine)
    app.register_blueprint(task_routes(tasks, RunService(engine, settings, clock, meter, follower=room.job_engine)))
    app.register_blueprint(xingqiao_routes(room, settings))
    workers = WorkerService(engine, settings, clock)
    refusals = RefusalService(engine, settings, clock, meter, follower=room.job_engine)
    app.register_blueprint(worker_routes(workers, refusals))
    app.register_blueprint(release_routes(releases))
    app.register_blueprint(explain_routes(Explainer(engine, settings, clock, workers)))
    return app
