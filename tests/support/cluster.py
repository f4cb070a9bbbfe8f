"""The whole platform as real processes on loopback, with short leases, for tests that break it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from shared.broker.queue import make_task_queue
from shared.task_api.client import TaskClient
from shared.task_api.models import ENDED, Task
from shared.task_api.transport import HttpTransport
from shared.task_api.worker_client import WorkerClient
from shared.task_api.workers import Worker
from tests.support.brokers import Broker, EmbeddedBroker
from tests.support.databases import Databases, EmbeddedDatabases
from tests.support.processes import Proc, free_port
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[2]
QUEUE = "gm_task"
PROGRAMS = {
    "gm_async_task": ["-m", "gunicorn", "-c", "gm_async_task/gunicorn.conf.py", "gm_async_task.wsgi:app"],
    "keeper": ["-m", "gm_async_task.keeper"],
    "gm_service": ["-m", "gunicorn", "-c", "gm_service/gunicorn.conf.py", "gm_service.wsgi:app"],
    "gm_task": ["-m", "gm_task.worker"],
}
SETUP = (["-m", "gm_async_task.migrate"], ["-m", "gm_service.migrate"], ["-m", "gm_service.stations.seed"])
DEMO_ORDERS = ["-m", "gm_service.demo"]


@dataclass
class StationClient:
    """A program of a station: its token, and the addresses it calls."""

    url: str
    token: str

    def get(self, path: str, headers: dict[str, str] | None = None, **parameters: Any) -> requests.Response:
        """GET with the station's token."""
        sent = {**self._headers(), **(headers or {})}
        return requests.get(self.url + path, params=parameters, headers=sent, timeout=30)

    def post(self, path: str, body: Any) -> requests.Response:
        """POST a JSON body with the station's token."""
        return requests.post(self.url + path, json=body, headers=self._headers(), timeout=30)

    def data(self, path: str, **parameters: Any) -> Any:
        """GET, and return the data of a successful answer."""
        answer = self.get(path, **parameters).json()
        assert answer["code"] == 0, answer
        return answer["data"]

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Cluster:
    """Processes, addresses and secrets of one platform in one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        demo_orders: bool = False,
        broker: Broker | None = None,
        databases: Databases | None = None,
        **environment: str,
    ) -> None:
        """Put it on a broker and databases that run, the embedded ones by default; whoever made them ends them."""
        self.folder = folder
        self.broker = broker or EmbeddedBroker(folder)
        self.databases = databases or EmbeddedDatabases(folder)
        self.processes: dict[str, Proc] = {}
        self.own_environment: dict[str, dict[str, str]] = {}
        """what one program alone is told, by its name, when it is started next"""
        service, async_task = free_port(), free_port()
        self.secrets = {
            name: secrets.token_urlsafe(36)
            for name in (
                "GM_AUTH_KEY",
                "GM_SERVICE_SECRET_KEY",
                "GM_DEMO_PASSWORD",
                "GM_STATION_TOKEN",
                "GM_STATION2_TOKEN",
            )
        }
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            **self.secrets,
            "GM_SERVICE_URL": f"http://127.0.0.1:{service}",
            "GM_SERVICE_BIND": f"127.0.0.1:{service}",
            "GM_ASYNC_TASK_URL": f"http://127.0.0.1:{async_task}",
            "GM_ASYNC_TASK_BIND": f"127.0.0.1:{async_task}",
            "GM_ASYNC_TASK_DATABASE_URL": self.databases.tasks_url,
            "GM_SERVICE_DATABASE_URL": self.databases.orders_url,
            "GM_BROKER_URL": self.broker.url,
            "GM_FILES_DIR": f"{folder}/files",
            "GM_METRICS_DIR": f"{folder}/metrics",
            "GM_LEASE_SECONDS": "4",
            "GM_SWEEP_SECONDS": "0.3",
            "GM_RING_AFTER_SECONDS": "1",
            "GM_PRESENCE_SECONDS": "0.5",
            "GM_UNKNOWN_NAME_SECONDS": "3",
            "GM_TASK_FUNCTIONS": '["tests.support.task_functions"]',
            **environment,
        }
        self.setup = [*SETUP, *([DEMO_ORDERS] if demo_orders else [])]

    def __enter__(self) -> Cluster:
        for arguments in self.setup:
            subprocess.run(
                [sys.executable, *arguments], cwd=ROOT, env=self.environment, check=True, capture_output=True
            )
        try:
            for name in PROGRAMS:
                self.start(name)
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, argv: Sequence[str] = ()) -> Proc:
        """Start one of the programs (again), by another command where one is given."""
        environment = self.environment | self.own_environment.get(name, {})
        command = argv or [sys.executable, *PROGRAMS[name]]
        self.processes[name] = Proc(name, command, self.folder, environment, cwd=ROOT)
        return self.processes[name]

    def start_worker(self, name: str, **environment: str) -> Proc:
        """Start a further worker; `environment` is told to it alone. It ends with the others, or by its own `stop`."""
        own = self.environment | environment
        self.processes[name] = Proc(name, [sys.executable, *PROGRAMS["gm_task"]], self.folder, own, cwd=ROOT)
        return self.processes[name]

    def stop(self) -> None:
        """End every process, workers first."""
        last = ("keeper", "gm_service", "gm_async_task")
        for name in (*(name for name in self.processes if name not in last), *last):
            if name in self.processes:
                self.processes[name].kill()

    def wait_ready(self, seconds: float = 30) -> None:
        """Return when both HTTP services answer."""
        for url in (self.environment["GM_ASYNC_TASK_URL"], self.environment["GM_SERVICE_URL"]):
            wait_for(
                lambda url=url: requests.get(url + "/readyz", timeout=2).ok,
                seconds,
                f"an answer of {url}",
                not_yet=requests.RequestException,
            )

    def worker_children(self) -> list[int]:
        """Return the process ids of the worker's children, oldest first."""
        parent = self.processes["gm_task"].pid
        path = Path(f"/proc/{parent}/task/{parent}/children")
        return [int(pid) for pid in path.read_text().split()]

    @property
    def first(self) -> StationClient:
        """A program of the first station."""
        return StationClient(self.environment["GM_SERVICE_URL"], self.secrets["GM_STATION_TOKEN"])

    @property
    def second(self) -> StationClient:
        """A program of the second station."""
        return StationClient(self.environment["GM_SERVICE_URL"], self.secrets["GM_STATION2_TOKEN"])

    @property
    def tasks(self) -> TaskClient:
        """A client of gm_async_task."""
        return TaskClient(self._transport())

    @property
    def workers(self) -> WorkerClient:
        """A client of its workers and releases."""
        return WorkerClient(self._transport())

    def worker(self, name: str) -> Worker | None:
        """Return what a program that is a worker reported of itself, None before it did."""
        pid = self.processes[name].pid
        return next((each for each in self.workers.list() if each.pid == pid), None)

    def submit(self, function: str, given: Any = None, **options: Any) -> int:
        """Add a task of tests.support.task_functions and ring for it, as a business project does."""
        return self.submit_named(f"tests.support.task_functions.{function}", given, **options)

    def submit_named(self, name: str, given: Any = None, **options: Any) -> int:
        """Do the same with a task of any name."""
        added = self.tasks.create("S001", name, given or {}, queue=QUEUE, **options)
        make_task_queue(self.environment["GM_BROKER_URL"]).send_task(name, [added.task_id], added.queue or QUEUE)
        return added.task_id

    def ended(self, task_id: int, seconds: float = 60) -> Task:
        """Return a task when it has ended."""
        wait_for(lambda: self.tasks.get(task_id).status in ENDED, seconds, f"the end of task {task_id}")
        return self.tasks.get(task_id)

    def _transport(self) -> HttpTransport:
        signed = self.environment.get("GM_SIGNED_CALLS", "off") != "off"
        return HttpTransport(self.environment["GM_ASYNC_TASK_URL"], self.secrets["GM_AUTH_KEY"], signed=signed)

    def logs(self) -> str:
        """Return what all processes have written."""
        return "\n".join(path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("*.log")))
