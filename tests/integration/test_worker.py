"""A real worker process on a doorbell file, with the fake task API behind HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import kombu
import pytest

from shared.broker.queue import TaskQueue, make_task_queue
from shared.task_api.client import TaskClient
from shared.task_api.fake import FakeTaskApi
from shared.task_api.models import ENDED, Task, TaskStatus
from tests.support.envelope_server import serve
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[2]
FUNCTIONS = "tests.support.task_functions"
KEY = "k" * 32


class Place:
    """A worker, what it is told, and what it tells."""

    def __init__(self, folder: Path, api: FakeTaskApi, address: str) -> None:
        self.folder = folder
        self.api = api
        self.client = TaskClient(api)
        self.broker_url = f"doorbell:///{folder / 'broker.sqlite'}"
        self.queue: TaskQueue = make_task_queue(self.broker_url)
        self.log = folder / "worker.log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "GM_AUTH_KEY": KEY,
            "GM_BROKER_URL": self.broker_url,
            "GM_FILES_DIR": str(folder / "files"),
            "GM_METRICS_DIR": str(folder / "metrics"),
            "GM_ASYNC_TASK_URL": address,
            "GM_SERVICE_URL": address,
            "GM_TASK_FUNCTIONS": f'["{FUNCTIONS}"]',
            "GM_STOP_GRACE_SECONDS": "1",
            "GM_RETURN_GRACE_SECONDS": "1",
            "GM_REPORT_SECONDS": "5",
        }
        self.worker = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "gm_task.worker"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def add(self, function: str, given: Any = None, **options: Any) -> int:
        options.setdefault("queue", "gm_task")
        return self.client.create("s1", f"{FUNCTIONS}.{function}", given or {}, **options).task_id

    def ring(self, task_id: int) -> None:
        task = self.client.get(task_id)
        self.queue.send_task(task.task_name, [task_id], queue="gm_task", run_count=task.run_count)

    def ended(self, task_id: int, seconds: float = 15.0) -> Task:
        wait_for(lambda: self.client.get(task_id).status in ENDED, seconds, f"the end of task {task_id}")
        return self.client.get(task_id)

    def stop(self, seconds: float = 20.0) -> int:
        os.kill(self.worker.pid, signal.SIGTERM)
        return self.worker.wait(seconds)

    def has_no_process(self) -> bool:
        try:
            os.killpg(self.worker.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def end(self) -> None:
        """End whatever is left of the worker's own process group."""
        with suppress(ProcessLookupError):
            os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait(10)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    api = FakeTaskApi()
    with serve(api) as address:
        place = Place(tmp_path, api, address)
        try:
            yield place
        finally:
            place.end()


def test_a_task_runs_and_hostile_messages_do_no_harm(place: Place) -> None:
    unknown = place.add("never_written")
    named_otherwise = place.add("double", {"n": 1})
    with kombu.Connection(place.broker_url) as connection:
        producer = connection.Producer()
        for headers, body in [
            ({"task": "os.system", "id": "1"}, [["touch /tmp/owned"], {}, {}]),
            ({"task": "celery.backend_cleanup", "id": "2"}, [[], {}, {}]),
            ({"task": "celery.map", "id": "3"}, [[], {}, {}]),
            ({"task": f"{FUNCTIONS}.other", "id": "4"}, [[named_otherwise], {}, {}]),
            ({"task": f"{FUNCTIONS}.double", "id": "5"}, [["1; drop"], {}, {}]),
            ({"task": f"{FUNCTIONS}.double", "id": "6"}, [[True], {}, {}]),
            ({"task": f"{FUNCTIONS}.double", "id": "7"}, "not a list"),
            ({"task": f"{FUNCTIONS}.double", "id": "8"}, [[10**30], {"x": 1}, {}]),
            ({"task": [], "id": "9"}, [[], {}, {}]),
            ({"task": f"{FUNCTIONS}.double", "id": "10", "timelimit": [1, 1]}, [[named_otherwise], {}, {}]),
            ({"task": f"{FUNCTIONS}.double", "id": "11"}, [[named_otherwise], {}, {"chain": [{"task": "x"}]}]),
            ({}, {"nothing": "known"}),
            ({}, "text"),
        ]:
            producer.publish(body, routing_key="gm_task", serializer="json", headers=headers)
        producer.publish(
            b"\x80\x04.", "gm_task", content_type="application/x-python-serialize", content_encoding="binary"
        )
        producer.publish(b"{", "gm_task", content_type="application/json", content_encoding="utf-8")
    task_id = place.add("double", {"n": 21})

    place.ring(unknown)
    place.ring(task_id)

    assert place.ended(task_id, 30).result["doubled"] == 42
    assert place.client.get(unknown).status == TaskStatus.SUBMITTED, "a worker that has it may still come"
    place.api.unknown_name_seconds = 0
    place.ring(unknown)
    assert place.ended(unknown).reason == f"No worker has the function {FUNCTIONS}.never_written."
    assert place.client.get(named_otherwise).status == TaskStatus.SUBMITTED
    assert place.worker.poll() is None
    assert place.stop() == 0


def test_the_run_of_a_killed_child_is_given_back_at_once(place: Place) -> None:
    repeatable = place.add("kill_own_process_once", repeat=True)
    once = place.add("kill_own_process_once")
    leaver = place.add("exit_interpreter")

    for task_id in (repeatable, once, leaver):
        place.ring(task_id)

    assert place.ended(once, 30).reason_code == "worker_lost"
    wait_for(lambda: place.client.get(repeatable).status == TaskStatus.SUBMITTED, 5)
    place.ring(repeatable)
    assert place.ended(repeatable).result == {"run_count": 2}
    assert place.ended(leaver).reason == "The function failed: SystemExit: 3"


@pytest.mark.parametrize("function", ["work_until_told", "work_on_whatever_happens"])
def test_a_stopped_worker_hands_back_what_may_be_repeated_and_ends(place: Place, function: str) -> None:
    began = place.folder / "began"
    task_id = place.add(function, {"began": str(began)}, repeat=True)
    place.ring(task_id)
    wait_for(began.exists, 30)

    code = place.stop()

    assert code == 0
    assert place.client.get(task_id).status == TaskStatus.SUBMITTED
    assert place.has_no_process()


@pytest.mark.parametrize("function", ["work_until_told", "work_on_whatever_happens"])
def test_a_stopped_worker_ends_what_may_not_be_repeated_after_its_grace(place: Place, function: str) -> None:
    began = place.folder / "began"
    task_id = place.add(function, {"began": str(began)})
    place.ring(task_id)
    wait_for(began.exists, 30)

    code = place.stop()

    task = place.client.get(task_id)
    assert code == 0
    assert (task.status, task.reason_code) == (TaskStatus.FAILED, "worker_stopped")


def test_a_run_whose_worker_was_killed_is_handed_back_and_no_process_stays(place: Place) -> None:
    began = place.folder / "began"
    task_id = place.add("work_until_told", {"began": str(began)}, repeat=True)
    place.ring(task_id)
    wait_for(began.exists, 30)

    os.kill(place.worker.pid, signal.SIGKILL)
    place.worker.wait(10)

    wait_for(lambda: place.client.get(task_id).status == TaskStatus.SUBMITTED, 10)
    wait_for(place.has_no_process, 10)


def test_a_run_in_a_replaced_child_gets_its_grace_too(place: Place) -> None:
    began = place.folder / "began"
    killers = [place.add("kill_own_process_once") for _ in range(2)]
    for task_id in killers:
        place.ring(task_id)
        place.ended(task_id, 30)
    task_id = place.add("work_until_told", {"began": str(began)})
    place.ring(task_id)
    wait_for(began.exists, 30)

    code = place.stop()

    assert code == 0
    assert place.client.get(task_id).reason_code == "worker_stopped"
