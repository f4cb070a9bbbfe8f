"""Workers of two releases beside one another, on every broker: who runs what while one is tried, and after."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from shared.broker.queue import make_task_queue
from shared.task_api.models import ENDED, TaskStatus
from tests.support.cluster import QUEUE, Cluster
from tests.support.waiting import wait_for

KINDS = ["embedded", "rabbitmq", "redis"]
OLD, NEW = "1.0", "2.0"
OLD_WORKER, NEW_WORKER = "gm_task", "worker-2"
UNKNOWN_TASKS = 50
FOUND_SECONDS = 15.0
"""within which a new worker, once it has reported itself, has run all tasks that waited for its functions: 10 s are
promised; a busy machine adds its own"""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module", params=KINDS)
def platform(request: pytest.FixtureRequest, make_platform: Callable[..., Cluster]) -> Cluster:
    """One platform of each kind, whose worker is of the old release."""
    return make_platform(request.param, GM_RELEASE=OLD, GM_UNKNOWN_NAME_SECONDS="60")


def _start_new(platform: Cluster, **environment: str) -> None:
    """Start a worker of the new release, and wait until it and the old one have been told what to serve."""
    if NEW_WORKER not in platform.processes or platform.processes[NEW_WORKER].process.poll() is not None:
        platform.start_worker(NEW_WORKER, GM_RELEASE=NEW, **environment)
    wait_for(lambda: platform.worker(NEW_WORKER), 30, "the new worker's report")
    _wait_served(platform)


def _wait_served(platform: Cluster) -> None:
    """Wait until every worker hears what it is to hear."""

    def all_told() -> bool:
        for name in (OLD_WORKER, NEW_WORKER):
            listed = platform.worker(name) if name in platform.processes else None
            if listed is not None and _served(platform, name) != sorted(listed.serve):
                return False
        return True

    wait_for(all_told, 15, "what is to be served")


def _served(platform: Cluster, name: str) -> list[str]:
    """Return what a worker's log says that it hears."""
    process = platform.processes[name]
    heard: list[str] = []
    for line in process.text().splitlines():
        if '"queues_heard"' in line:
            said = json.loads(line)
            if f".{process.pid}." in said["worker"]:
                heard = said["queues"]
    return heard


def _releases_that_ran(platform: Cluster, count: int, station: str = "S001") -> set[str]:
    """Submit tasks, and return the releases that ran them."""
    name = "tests.support.task_functions.tell_release"
    queue = make_task_queue(platform.environment["GM_BROKER_URL"])
    task_ids = []
    for _ in range(count):
        added = platform.tasks.create(station, name, {}, queue=QUEUE)
        queue.send_task(name, [added.task_id], added.queue or QUEUE)
        task_ids.append(added.task_id)
    return {platform.ended(task_id).result["release"] for task_id in task_ids}


def test_tasks_whose_function_no_worker_has_wait_for_one_and_none_is_dropped(platform: Cluster) -> None:
    """R12."""
    name = "tests.support.newer_functions.triple"
    queue = make_task_queue(platform.environment["GM_BROKER_URL"])
    old_worker = platform.processes[OLD_WORKER].pid
    task_ids = [
        platform.tasks.create("S001", name, {"n": number}, queue=QUEUE).task_id for number in range(UNKNOWN_TASKS)
    ]
    for task_id in task_ids:
        queue.send_task(name, [task_id], QUEUE)
    wait_for(lambda: _alerts(platform), 30, "the alert")
    assert {platform.tasks.get(task_id).status for task_id in task_ids} == {TaskStatus.SUBMITTED}

    began = time.monotonic()
    functions = '["tests.support.task_functions", "tests.support.newer_functions"]'
    platform.start_worker(NEW_WORKER, GM_RELEASE=NEW, GM_TASK_FUNCTIONS=functions)
    wait_for(lambda: platform.worker(NEW_WORKER), 60, "the new worker's report")
    reported = time.monotonic()
    wait_for(
        lambda: all(platform.tasks.get(task_id).status in ENDED for task_id in task_ids), 60, "the end of the tasks"
    )
    ended = time.monotonic()

    tasks = [platform.tasks.get(task_id) for task_id in task_ids]
    print(  # noqa: T201
        f"R12: {UNKNOWN_TASKS} tasks run {ended - began:.1f} s after their worker was started, "
        f"{ended - reported:.1f} s after it reported itself"
    )
    assert {(task.status, task.run_count) for task in tasks} == {(TaskStatus.FINISHED, 1)}
    assert sorted(task.result["tripled"] for task in tasks) == [3 * number for number in range(UNKNOWN_TASKS)]
    assert platform.processes[OLD_WORKER].pid == old_worker
    assert platform.processes[OLD_WORKER].process.poll() is None
    # The old worker still takes what it knows.
    assert platform.processes[NEW_WORKER].stop() == 0
    assert _releases_that_ran(platform, 3) == {OLD}
    assert ended - reported <= FOUND_SECONDS


def _alerts(platform: Cluster) -> bool:
    log = platform.processes["gm_async_task"].text()
    return any('"task_unknown"' in line and '"error"' in line for line in log.splitlines())


def test_all_none_or_some_stations_tasks_go_to_the_release_that_is_tried(platform: Cluster) -> None:
    platform.workers.begin_release(NEW, percent=100)
    _start_new(platform)

    assert _releases_that_ran(platform, 20) == {NEW}
    platform.workers.share_release(NEW, percent=0)
    assert _releases_that_ran(platform, 20) == {OLD}
    platform.workers.share_release(NEW, percent=100, stations=["S002"])
    assert _releases_that_ran(platform, 10) == {OLD}
    assert _releases_that_ran(platform, 10, "S002") == {NEW}
    platform.workers.share_release(NEW, percent=50)
    assert _releases_that_ran(platform, 40) == {OLD, NEW}


def test_workers_are_listed_with_what_they_run_though_all_children_are_busy(platform: Cluster) -> None:
    platform.workers.share_release(NEW, percent=0)
    gate = platform.folder / "busy-gate"
    task_ids = [platform.submit("wait_for_file", {"path": str(gate)}) for _ in range(2)]

    def seconds() -> dict[int, float]:
        """Return for how long both are said to run; what ran before may be in the report before."""
        runs = {run["task_id"]: run["seconds"] for run in _busy(platform, OLD_WORKER, 2)}
        return runs if sorted(runs) == task_ids else {}

    first = wait_for(seconds, 20, "both runs in the list")
    wait_for(lambda: [key for key, each in sorted(seconds().items()) if each > first[key]] == task_ids, 10, "more")
    listed = _busy(platform, OLD_WORKER, 2)
    gate.touch()

    assert {each["run_count"] for each in listed} == {1}
    assert {platform.ended(task_id).status for task_id in task_ids} == {TaskStatus.FINISHED}
    wait_for(lambda: platform.worker(OLD_WORKER).runs == [], 10, "an empty list")  # type: ignore[union-attr]


def _busy(platform: Cluster, name: str, count: int) -> list[dict[str, Any]]:
    listed = platform.worker(name)
    runs = [run.model_dump() for run in listed.runs] if listed else []
    return runs if len(runs) == count else []


def test_what_a_worker_hears_outlives_the_broker(platform: Cluster) -> None:
    platform.workers.share_release(NEW, percent=100)
    served = {name: _served(platform, name) for name in (OLD_WORKER, NEW_WORKER)}

    platform.broker.kill()
    platform.broker.start()

    assert _releases_that_ran(platform, 10) == {NEW}
    platform.workers.share_release(NEW, percent=0)
    assert _releases_that_ran(platform, 10) == {OLD}
    assert {name: _served(platform, name) for name in served} == served


def test_grey_tasks_of_dead_workers_run_on_the_base_lane(platform: Cluster) -> None:
    platform.workers.share_release(NEW, percent=100)
    platform.processes[NEW_WORKER].kill()

    assert _releases_that_ran(platform, 10) == {OLD}
    _start_new(platform)
    assert _releases_that_ran(platform, 10) == {NEW}


def test_what_waits_for_a_release_that_is_taken_back_runs_on_the_base_lane(platform: Cluster) -> None:
    platform.workers.share_release(NEW, percent=100)
    gate = platform.folder / "back-gate"
    running = [platform.submit("wait_for_file", {"path": str(gate)}) for _ in range(2)]
    wait_for(lambda: _busy(platform, NEW_WORKER, 2), 20, "runs of the new worker")
    waiting = [platform.submit("tell_release") for _ in range(10)]

    platform.workers.end_release(NEW, state="rolled_back")
    ran = {platform.ended(task_id).result["release"] for task_id in waiting}
    gate.touch()

    assert ran == {OLD}
    assert {platform.ended(task_id).status for task_id in running} == {TaskStatus.FINISHED}
    assert platform.workers.get_release(NEW).lanes["grey"].failed == 0
    _wait_served(platform)
    assert _served(platform, NEW_WORKER) == []
    assert _releases_that_ran(platform, 20) == {OLD}


def test_a_release_that_goes_live_drains_the_old_worker(platform: Cluster) -> None:
    platform.workers.begin_release(NEW, percent=10)
    wait_for(lambda: _served(platform, NEW_WORKER) == [f"{QUEUE}.grey"], 15, "the grey lane")

    platform.workers.end_release(NEW, state="live")
    _wait_served(platform)

    assert _served(platform, OLD_WORKER) == []
    assert _served(platform, NEW_WORKER) == [QUEUE, f"{QUEUE}.grey"]
    assert _releases_that_ran(platform, 20) == {NEW}


def test_a_drained_worker_serves_again_when_it_is_the_only_one(platform: Cluster) -> None:
    assert platform.processes[NEW_WORKER].stop() == 0
    assert platform.worker(NEW_WORKER) is None, "it said that it left"

    assert _releases_that_ran(platform, 5) == {OLD}


def test_a_worker_that_starts_before_the_task_service_begins_soon_after_it_is_there(platform: Cluster) -> None:
    for name in (OLD_WORKER, "gm_async_task"):
        platform.processes[name].kill()
    old = platform.start(OLD_WORKER)
    known = len(old.text())
    wait_for(lambda: "presence_not_reported" in old.text()[known:], 30, "a report that fails")
    platform.start("gm_async_task")
    platform.wait_ready()
    there = time.monotonic()

    wait_for(lambda: _served(platform, OLD_WORKER) != [], 10, "its queues")

    assert time.monotonic() - there < 3
    assert _releases_that_ran(platform, 3) == {OLD}
