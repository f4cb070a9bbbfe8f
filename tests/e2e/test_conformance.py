"""One suite for every way to run: the embedded parts, MariaDB with RabbitMQ, MariaDB with Redis.

What configuration alone changes must change nothing that is promised: real processes, and what they stand on killed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.broker.queue import make_task_queue
from shared.task_api.models import TaskStatus
from tests.support.brokers import hostile_messages, publish
from tests.support.cluster import QUEUE, Cluster
from tests.support.databases import MariaDbDatabases
from tests.support.import_jobs import (
    BOTH_ENDED_RIGHT,
    ended_import,
    import_and_export,
    order_rows,
    orders_of,
    slow_rows,
    submit_import,
)
from tests.support.waiting import wait_for

KINDS = ["embedded", "rabbitmq", "redis"]
DOUBLE = "tests.support.task_functions.double"
START_SECONDS = 5.0
"""what a task may wait for its start once the broker is back"""
ADD_SECONDS = 3.0
"""what an add may take while the broker is away"""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module", params=KINDS)
def platform(request: pytest.FixtureRequest, make_platform: Callable[..., Cluster]) -> Cluster:
    """One platform of each kind; tests that break it mend it."""
    return make_platform(request.param)


@pytest.fixture(autouse=True)
def same_worker(platform: Cluster) -> Iterator[None]:
    """Whatever happens to broker and database, the worker's process is still there."""
    yield
    assert platform.processes["gm_task"].process.poll() is None, platform.processes["gm_task"].text()[-2000:]


def _run_ends(platform: Cluster, task_ids: list[int]) -> set[tuple[TaskStatus, int]]:
    """Return how the tasks ended and in which run, all of them."""
    ended = [platform.ended(task_id) for task_id in task_ids]
    return {(task.status, task.run_count) for task in ended}


def test_import_and_export_end_right(platform: Cluster) -> None:
    assert import_and_export(platform, "conform") == BOTH_ENDED_RIGHT


def test_killed_worker_in_the_middle_of_an_import_loses_nothing(platform: Cluster) -> None:
    task_id = submit_import(platform.first, "killed", slow_rows(1000, "killed-"))
    wait_for(lambda: len(orders_of(platform, task_id)) >= 1, 30, "some orders")

    platform.processes["gm_task"].kill()
    at_kill = len(orders_of(platform, task_id))
    platform.start("gm_task")
    ended = ended_import(platform.first, task_id)

    assert at_kill < 900, "it was killed in the middle"
    assert (ended["status"], ended["result"]["created"], ended["result"]["failed"]) == (4, 900, 100)
    assert orders_of(platform, task_id) == [(index, 1) for index in range(1000) if index % 10 != 9]
    assert platform.tasks.get(task_id).run_count >= 2


def test_a_killed_broker_loses_no_waiting_task_and_doubles_none(platform: Cluster) -> None:
    platform.processes["gm_task"].kill()
    task_ids = [platform.submit("double", {"n": number}) for number in range(30)]

    platform.broker.kill()
    platform.broker.start()
    platform.start("gm_task")

    assert _run_ends(platform, task_ids) == {(TaskStatus.FINISHED, 1)}


def test_a_worker_outlives_the_broker_and_its_run_goes_on(platform: Cluster) -> None:
    gate = platform.folder / "broker-gate"
    running = platform.submit("wait_for_file", {"path": str(gate)})
    wait_for(lambda: platform.tasks.get(running).status == TaskStatus.RUNNING, 20, "the run")

    platform.broker.kill()
    gate.touch()
    ended = platform.ended(running)
    platform.broker.start()

    assert (ended.status, ended.run_count) == (TaskStatus.FINISHED, 1)
    assert _run_ends(platform, [platform.submit("double", {"n": 1})]) == {(TaskStatus.FINISHED, 1)}


@pytest.mark.parametrize("fault", ["refused", "black-holed"])
def test_adds_without_a_broker_are_quick_and_run_soon_after_its_return(platform: Cluster, fault: str) -> None:
    """R2 in small."""
    take_away, bring_back = {
        "refused": (platform.broker.kill, platform.broker.start),
        "black-holed": (platform.broker.freeze, platform.broker.thaw),
    }[fault]

    def add(number: int) -> tuple[int, float]:
        began = time.monotonic()
        task_id = submit_import(platform.first, f"{fault}-{number}", order_rows(2, f"{fault}-{number}-"))
        return task_id, time.monotonic() - began

    take_away()
    try:
        with ThreadPoolExecutor(8) as stations:
            added = list(stations.map(add, range(24)))
    finally:
        bring_back()
    back = datetime.now(UTC)
    tasks = [platform.ended(task_id) for task_id, _ in added]

    assert max(seconds for _, seconds in added) <= ADD_SECONDS
    assert {(task.status, task.run_count) for task in tasks} == {(TaskStatus.FINISHED, 1)}
    assert max((task.start_time - back).total_seconds() for task in tasks if task.start_time) <= START_SECONDS


def test_a_killed_database_gives_503_and_every_accepted_task_ends(platform: Cluster) -> None:
    statuses: list[int] = []
    accepted: list[int] = []
    stopping = threading.Event()

    def call(caller: int) -> None:
        number = 0
        while not stopping.wait(0.1):
            number += 1
            body = {
                "task_id": f"db-{caller}-{number}",
                "time_config_id": "whole-day",
                "file_name": "db.xlsx",
                "order_data": order_rows(1, f"db-{caller}-{number}-"),
            }
            answer = platform.first.post("/station/order/batch/submit", body)
            statuses.append(answer.status_code)
            if answer.ok:
                accepted.append(int(answer.json()["data"]["task_url"].rpartition("=")[2]))
            statuses.append(platform.first.get("/task/list", limit=5).status_code)

    with ThreadPoolExecutor(3) as stations:
        calls = [stations.submit(call, caller) for caller in range(3)]
        wait_for(lambda: len(accepted) >= 3, 20, "accepted tasks")
        platform.databases.kill()
        stopping.wait(1.0)
        platform.databases.start()
        back = len(accepted)
        wait_for(lambda: len(accepted) >= back + 3, 20, "accepted tasks after it")
        stopping.set()
        for each in calls:
            each.result()

    assert set(statuses) == ({200, 503} if isinstance(platform.databases, MariaDbDatabases) else {200})
    assert statuses[-1] == 200
    ends = [ended_import(platform.first, task_id)["status"] for task_id in accepted]
    assert ends == [int(TaskStatus.FINISHED)] * len(accepted)
    assert all(orders_of(platform, task_id) == [(0, 1)] for task_id in accepted)


def test_a_doorbell_for_an_unknown_name_ends_its_task_with_the_reason(platform: Cluster) -> None:
    task_id = platform.submit("no_such_function")

    ended = platform.ended(task_id, 20)

    assert (ended.status, ended.run_count) == (TaskStatus.FAILED, 0)
    assert "no_such_function" in str(ended.reason)


def test_a_doorbell_heard_twice_runs_once(platform: Cluster) -> None:
    task_id = platform.submit("double", {"n": 1}, repeat=True)
    for _ in range(20):
        make_task_queue(platform.environment["GM_BROKER_URL"]).send_task(DOUBLE, [task_id], QUEUE)

    later = platform.submit("double", {"n": 2})

    assert _run_ends(platform, [task_id, later]) == {(TaskStatus.FINISHED, 1)}
    assert platform.tasks.get(task_id).run_count == 1


def test_hostile_messages_run_nothing_and_the_worker_lives(platform: Cluster) -> None:
    """S-i in small: what anybody who can reach the broker may send."""
    # Added without a queue: only a message can start it.
    alone = platform.tasks.create("S001", DOUBLE, {"n": 1}).task_id
    worker, children = platform.processes["gm_task"].pid, platform.worker_children()

    for _ in range(4):
        publish(platform.environment["GM_BROKER_URL"], QUEUE, hostile_messages(DOUBLE, alone))
        platform.broker.put_garbage(QUEUE)
    after = platform.submit("double", {"n": 21})

    assert platform.ended(after).result["doubled"] == 42
    assert (platform.tasks.get(alone).status, platform.tasks.get(alone).run_count) == (TaskStatus.SUBMITTED, 0)
    assert (platform.processes["gm_task"].pid, platform.worker_children()) == (worker, children)
    assert not Path("/tmp/owned").exists()


def test_no_log_shows_a_fault_of_ours(platform: Cluster) -> None:
    logs = platform.logs()

    assert [name for name, secret in platform.secrets.items() if secret in logs] == []
    assert "request_failed" not in logs
