"""Chooses the real things and puts the service together."""

from __future__ import annotations

from datetime import timedelta

from apiflask import APIBlueprint, APIFlask
from flask import Response, g
from sqlalchemy.engine import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

from gm_service.auth import Authenticator
from gm_service.config import ServiceSettings
from gm_service.db import nonces
from gm_service.job_api import HttpJobApi, JobApi
from gm_service.operators import operators_of
from gm_service.order_intake import OrderIntake
from gm_service.orders.cycles import CycleReader
from gm_service.orders.exports.service import ExportService
from gm_service.orders.imports.catalogue import CatalogueService
from gm_service.orders.imports.intake import IntakeSteps
from gm_service.orders.imports.reader import ImportReader
from gm_service.orders.imports.runs import ImportRuns
from gm_service.orders.imports.service import ImportService
from gm_service.orders.imports.telling import ImportTeller
from gm_service.routes.async_task import async_task_routes
from gm_service.routes.downloads import downloads_routes
from gm_service.routes.embedding import embedding_routes
from gm_service.routes.exports import exports_routes
from gm_service.routes.health import health_routes
from gm_service.routes.imports import imports_routes
from gm_service.routes.internal import intake_routes, internal_routes
from gm_service.routes.pages import pages_routes
from gm_service.routes.profiling import profiling_routes
from gm_service.routes.rendering import PAGE_POLICY
from gm_service.routes.session import session_routes
from gm_service.routes.stations import station_routes
from gm_service.routes.task import task_routes
from gm_service.routes.xingqiao import xingqiao_routes
from gm_service.station_tasks import StationTasks
from gm_service.stations.service import StationService
from gm_service.task_service import TrustedTransport
from gm_service.task_view import TaskView
from shared.broker.queue import make_task_queue
from shared.database import DatabaseClock, make_engine
from shared.files.store import open_file_store
from shared.logs import configure_logs
from shared.metrics.calls import CountingQueue, CountingTransport
from shared.metrics.exposition import Exposition
from shared.metrics.folder import open_folder
from shared.metrics.meters import Meters
from shared.metrics.table import SERVICE
from shared.signing.guard import CallGuard
from shared.signing.nonces import NonceStore
from shared.starting import starting
from shared.task_api.circuit import CircuitTransport
from shared.task_api.client import TaskClient
from shared.task_api.dispatch import Dispatcher, TaskQueue
from shared.task_api.transport import HttpTransport, Transport
from shared.web.app import make_app
from shared.web.metering import count_requests, metrics_routes

_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def create_app() -> APIFlask:
    """Return the service as the environment configures it; call it once a process, after forking."""
    with starting("gm_service"):
        settings = ServiceSettings()
        configure_logs("gm_service", settings.log_level, settings.secrets())
        open_folder(SERVICE)
        queue = make_task_queue(settings.broker_url.get_secret_value())
        engine = make_engine(settings.service_database_url.get_secret_value())
    return make_service_app(
        settings,
        CircuitTransport(
            HttpTransport(settings.async_task_url, settings.auth_key.get_secret_value(), signed=settings.signs_calls)
        ),
        queue,
        engine,
        DatabaseClock(),
        jobs=HttpJobApi(settings.async_task_url, settings.auth_key.get_secret_value(), signed=settings.signs_calls),
    )


def make_service_app(
    settings: ServiceSettings,
    task_api: Transport,
    queue: TaskQueue,
    engine: Engine,
    clock: DatabaseClock,
    *,
    jobs: JobApi,
) -> APIFlask:
    """Return the service made of these parts."""
    app = make_app("gm_service", "gm_service: stations, orders and their tasks", settings)
    meters = Meters(SERVICE)
    _configure_sessions(app, settings)
    app.after_request(_protect)
    count_requests(app, meters)
    app.register_blueprint(metrics_routes(Exposition(meters, settings.present_release), settings))
    task_client = TaskClient(CountingTransport(TrustedTransport(task_api), meters))
    counting_queue = CountingQueue(queue, meters)
    for blueprint in _blueprints(settings, task_client, counting_queue, engine, clock, meters=meters, jobs=jobs):
        app.register_blueprint(blueprint)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]
    return app


def _blueprints(
    settings: ServiceSettings,
    task_client: TaskClient,
    queue: CountingQueue,
    engine: Engine,
    clock: DatabaseClock,
    *,
    meters: Meters,
    jobs: JobApi,
) -> list[APIBlueprint]:
    """Return everything that the service answers; a new room of routes is one line here."""
    stations = StationService(engine, clock)
    auth = Authenticator(stations, settings.session_seconds)
    guard = CallGuard(settings, NonceStore(engine, nonces))
    dispatcher = Dispatcher(task_client, queue, settings.task_queue)
    cycles = CycleReader(engine)
    teller = ImportTeller(engine, task_client, settings.language)
    imports = ImportService(engine, settings, dispatcher, task_client, teller)
    tasks = StationTasks(task_client, teller)
    reader = ImportReader(engine)
    operators = operators_of(settings, auth, stations)
    exports = ExportService(engine, settings, dispatcher, task_client, clock, open_file_store(settings))

    def reader_view() -> TaskView:
        return TaskView(g.language, settings.public_url)

    return [
        health_routes(engine, task_client, lambda: queue.state),
        session_routes(auth, stations, settings.timezone),
        task_routes(tasks, auth.require_station, reader_view),
        async_task_routes(tasks, auth.require_station, reader_view),
        station_routes(cycles, CatalogueService(engine), auth.require_station),
        exports_routes(exports, auth.require_station_to_act, meters, auth.find_username),
        imports_routes(imports, OrderIntake(imports, jobs), reader, settings, auth.require_caller),
        xingqiao_routes(jobs, settings, auth.require_caller),
        downloads_routes(exports, settings, auth.require_station),
        internal_routes(ImportRuns(engine, settings, meters), guard, settings),
        intake_routes(IntakeSteps(engine, settings), guard),
        pages_routes(
            tasks=tasks,
            reader=reader,
            auth=auth,
            reader_view=reader_view,
            settings=settings,
            operators=operators,
        ),
        *([embedding_routes(settings)] if settings.embed_origins else []),
        *([profiling_routes(tasks, auth, operators, settings)] if operators else []),
    ]


def _configure_sessions(app: APIFlask, settings: ServiceSettings) -> None:
    app.config.update(
        SECRET_KEY=settings.service_secret_key.get_secret_value(),
        SESSION_COOKIE_NAME="gm_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=settings.session_seconds),
        # An open page polls all day; it must not keep its session alive for ever.
        SESSION_REFRESH_EACH_REQUEST=False,
    )


def _protect(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if response.mimetype in ("application/json", "text/html"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
