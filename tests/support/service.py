"""gm_service for tests: its settings, its database, its application over the fake task API."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from gm_service.app import make_service_app
from gm_service.config import ServiceSettings
from gm_service.job_api import JobAnswer
from gm_service.migrate import migrate
from gm_service.stations.service import StationService
from shared.database import DatabaseClock, make_engine
from shared.errors import Unavailable
from shared.task_api.client import TaskClient
from shared.task_api.fake import FakeTaskApi
from shared.task_api.models import AddedTask
from shared.task_api.transport import Method
from tests.support.queues import RecordingQueue

PASSWORD = "correct horse"
STATIONS = {"S001": "Bristol depot", "S002": "Dublin depot"}


def make_service_settings(files_dir: Path = Path("/nowhere"), **changes: Any) -> ServiceSettings:
    """Return settings that depend on nothing outside the test."""
    given = {
        "auth_key": "test-key-" + "0" * 32,
        "broker_url": "doorbell:////nowhere",
        "files_dir": files_dir,
        "service_database_url": "sqlite://",
        "async_task_url": "http://127.0.0.1:1",
        "service_secret_key": "test-secret-" + "0" * 32,
        "timezone": "UTC",
        **changes,
    }
    return ServiceSettings(_env_file=None, **given)


class SwitchedTaskApi:
    """The fake task API behind a switch: `failure` is what every call meets while it is set."""

    def __init__(self) -> None:
        self.fake = FakeTaskApi()
        self.failure: Exception | None = None

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """See `Transport.call`."""
        if self.failure:
            raise self.failure
        return self.fake.call(method, path, parameters)

    def go_away(self) -> None:
        """Fail as a service that can't be reached."""
        self.failure = Unavailable(what="task service")


@dataclass
class RecordingJobApi:
    """Notes what the API of jobs is asked for."""

    asked: list[tuple[str, dict[str, Any], str, str]] = field(default_factory=list)
    """(verb, parameters, namespace, operator)"""

    def call(self, verb: str, parameters: dict[str, Any], *, namespace: str, operator: str) -> JobAnswer:
        """See `JobApi.call`."""
        self.asked.append((verb, parameters, namespace, operator))
        return JobAnswer(200, b'{"stat":"OK","job_id":1}', {"Content-Type": "application/json", "x-reqid": "1"})


@dataclass
class Caller:
    """A station's program or person: a test client that brings its credential."""

    client: FlaskClient
    headers: dict[str, str]

    def get(self, path: str, **query: Any) -> TestResponse:
        """GET with a query string."""
        return self.client.get(path, query_string=query, headers=self.headers)

    def post(self, path: str, **body: Any) -> TestResponse:
        """POST a JSON object."""
        return self.client.post(path, json=body, headers=self.headers)


class Service:
    """The application and what stands around it."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.settings = make_service_settings(folder, **changes)
        self.engine: Engine = make_engine(f"sqlite:///{folder}/service.db")
        self.clock = DatabaseClock()
        self.task_api = SwitchedTaskApi()
        self.queue = RecordingQueue()
        self.jobs = RecordingJobApi()
        migrate(self.engine)
        self.stations = StationService(self.engine, self.clock)
        self.app: Flask = make_service_app(
            self.settings, self.task_api, self.queue, self.engine, self.clock, jobs=self.jobs
        )
        self.tasks = TaskClient(self.task_api)
        for station_id, name in STATIONS.items():
            self.stations.create_station(station_id, name)

    def program(self, station_id: str = "S001") -> Caller:
        """Return a caller with a fresh token of the station."""
        token = self.stations.issue_token(station_id, "tests")
        return Caller(self.app.test_client(), {"Authorization": f"Bearer {token}"})

    def person(self, station_id: str = "S001", username: str = "clerk") -> Caller:
        """Return a signed-in person with the session's CSRF token."""
        self.stations.add_user(station_id, username, PASSWORD)
        client = self.app.test_client()
        answer = sign_in(client, station_id, username)
        assert answer.json is not None
        return Caller(client, {"X-CSRF-Token": answer.json["data"]["csrf_token"]})

    def add_task(self, station_id: str = "S001", **options: Any) -> AddedTask:
        """Add a task to the fake, as an older part of the platform would have."""
        name = options.pop("task_name", "gm_task.functions.orders.import_orders")
        return self.tasks.create(station_id, name, options.pop("input", {"rows": 1}), **options)

    def end_task(self, task_id: int, status: int = 3, **outcome: Any) -> None:
        """Start a task and end it."""
        run = self.tasks.start(task_id)
        self.tasks.finish(task_id, status=status, run_count=run.run_count, **outcome)


def sign_in(
    client: FlaskClient, station_id: str = "S001", username: str = "clerk", password: str = PASSWORD
) -> TestResponse:
    """Sign in as the pages do."""
    return client.post("/session", json={"station_id": station_id, "username": username, "password": password})
