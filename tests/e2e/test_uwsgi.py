"""gm_async_task under uWSGI: the same answers as under gunicorn, and an end that answers what is under way."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from shared.errors import NotStartable, StaleRun, TaskNotFound
from shared.task_api.client import TaskClient
from shared.task_api.models import TaskStatus
from shared.task_api.transport import HttpTransport
from tests.support.async_task import AUTH_KEY, make_database
from tests.support.cluster import ROOT
from tests.support.databases import EmbeddedDatabases
from tests.support.processes import Proc, free_port
from tests.support.waiting import wait_for

pytest.importorskip("pyuwsgi", reason="uWSGI comes ready-made for Linux on x86_64 only")

RUN = [sys.executable, "-c", "import pyuwsgi; pyuwsgi.run()", "--ini", "gm_async_task/uwsgi.ini"]
STOP_SECONDS = 10


class Service:
    """gm_async_task on SQLite, served by uWSGI."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.databases = EmbeddedDatabases(folder)
        make_database(self.databases.tasks_url).dispose()
        self.address = ("127.0.0.1", free_port())
        bind = f"127.0.0.1:{self.address[1]}"
        self.url = f"http://{bind}"
        told = {
            "PATH": os.environ["PATH"],
            "GM_AUTH_KEY": AUTH_KEY,
            "GM_BROKER_URL": f"doorbell:///{folder}/doorbell.db",
            "GM_FILES_DIR": str(folder),
            "GM_ASYNC_TASK_DATABASE_URL": self.databases.tasks_url,
            "GM_ASYNC_TASK_BIND": bind,
            **environment,
        }
        self.process = Proc("uwsgi", RUN, folder, told, cwd=ROOT)
        self.tasks = TaskClient(HttpTransport(self.url, AUTH_KEY))

    def wait_ready(self) -> None:
        """Return when it answers."""
        ready = self.url + "/readyz"
        wait_for(lambda: requests.get(ready, timeout=2).ok, 30, "uWSGI", not_yet=requests.RequestException)

    def add(self) -> int:
        """Add a task and return its id."""
        return self.tasks.create("S001", "demo.work", {"n": 1}, queue="gm_task").task_id


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path)
    try:
        running.wait_ready()
        yield running
    finally:
        running.process.kill()


def test_a_task_goes_its_way(service: Service) -> None:
    task_id = service.add()
    fence = service.tasks.start(task_id).run_count
    service.tasks.update(task_id, field="progress", value=40, run_count=fence)
    service.tasks.finish(task_id, status=TaskStatus.FINISHED, result={"orders": "订单"}, run_count=fence)
    task = service.tasks.get(task_id)

    assert (task.status, task.result, task.progress) == (TaskStatus.FINISHED, {"orders": "订单"}, 100)
    assert [each.task_id for each in service.tasks.list("S001", task_ids=[task_id])] == [task_id]
    with pytest.raises(NotStartable):
        service.tasks.start(task_id)
    with pytest.raises(StaleRun):
        service.tasks.heartbeat(task_id, fence + 1)
    with pytest.raises(TaskNotFound):
        service.tasks.get(task_id + 1)


def test_refusals_and_sizes_are_the_platforms(service: Service) -> None:
    headers = {"X-Auth-Key": AUTH_KEY}
    long_query = "&".join(["task_ids=1"] * 700)
    add = service.url + "/task/add"

    unknown = requests.get(service.url + "/task/get?task_id=1", headers={"X-Auth-Key": "wrong" * 8}, timeout=5)
    long = requests.get(f"{service.url}/healthz?{long_query}", timeout=5)
    broken = requests.post(add, data=b"[" * 100_000, headers=headers, timeout=5)
    large = requests.post(add, data=b" " * (9 * 1024 * 1024), headers=headers, timeout=5)

    assert (unknown.status_code, unknown.json()["code"]) == (401, 40100)
    assert long.status_code == 200
    assert broken.status_code == 400 and broken.json()["code"] // 100 == 400
    assert large.status_code == 413 and large.json()["code"] // 100 == 413


@pytest.mark.parametrize("demand", ["send", "require"])
def test_signed_calls_pass_and_a_bare_key_only_where_it_may(tmp_path: Path, demand: str) -> None:
    service = Service(tmp_path, GM_SIGNED_CALLS=demand)
    signed = TaskClient(HttpTransport(service.url, AUTH_KEY, signed=True))
    bare = requests.Request("GET", f"{service.url}/task/get?task_id=1", headers={"X-Auth-Key": AUTH_KEY}).prepare()
    try:
        service.wait_ready()

        task_id = signed.create("S001", "demo.work", {"n": 1}, user_task_id="a b/ü", queue="gm_task").task_id
        found = [each.task_id for each in signed.list("S001", user_task_ids=["a b/ü"])]
        with requests.Session() as session:
            refused = session.send(bare, timeout=5).status_code == 401
    finally:
        service.process.kill()

    assert (found, refused) == ([task_id], demand == "require")


def test_told_to_end_it_answers_what_is_under_way(service: Service) -> None:
    service.databases.kill()  # whoever writes waits
    with socket.create_connection(service.address, timeout=STOP_SECONDS) as caller:
        caller.sendall(_add_request())
        # Connections are taken in order, so that one is taken when this is answered.
        assert requests.get(service.url + "/healthz", timeout=5).ok
        began = time.monotonic()
        service.process.send(signal.SIGTERM)
        wait_for(lambda: "graceful shutdown" in service.process.text(), 5, "the signal's arrival")
        service.databases.start()
        answer = b"".join(iter(lambda: caller.recv(65536), b""))
    code = service.process.process.wait(STOP_SECONDS)

    assert b'"task_id":1' in answer and answer.startswith(b"HTTP/1.1 200"), answer
    assert (code, time.monotonic() - began < STOP_SECONDS) == (0, True)


def test_configured_wrongly_it_ends_and_says_why(tmp_path: Path) -> None:
    service = Service(tmp_path, GM_AUTH_KEY="short")

    wait_for(lambda: service.process.process.poll() is not None, 20, "the end of uWSGI")

    assert "at least 32 characters" in service.process.text()


def _add_request() -> bytes:
    body = b'{"station_id": "S001", "task_name": "demo.work", "input": {}, "queue": "gm_task"}'
    head = f"POST /task/add HTTP/1.1\r\nHost: gm\r\nX-Auth-Key: {AUTH_KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
