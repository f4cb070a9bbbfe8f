"""R4: killed children, exceptions, time limits and sys.exit, by the dozen: run again or explained within 4 seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from shared.task_api.models import Task, TaskStatus
from tests.support.cluster import Cluster
from tests.support.waiting import wait_for

KILLED, OTHERS = 50, 20
P95_SECONDS = 4.0
RUN_SECONDS = 1

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    # The lease is the real one: what is found here within seconds is found without it.
    with Cluster(tmp_path_factory.mktemp("lost"), GM_LEASE_SECONDS="60", GM_RETURN_GRACE_SECONDS="0.5") as cluster:
        yield cluster


def _seconds(task: Task) -> float:
    assert task.start_time is not None
    assert task.end_time is not None
    return (task.end_time - task.start_time).total_seconds()


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)]


def _run(platform: Cluster, count: int, function: str, **options: object) -> list[Task]:
    """Run tasks two at a time, one for each child, so that their times say what a loss costs and not the queue."""
    ended = []
    for number in range(0, count, 2):
        pair = range(number, min(number + 2, count))
        given = [{"began": str(platform.folder / f"began-{each}")} for each in pair]
        task_ids = [platform.submit(function, each, **options) for each in given]
        ended += [platform.ended(task_id) for task_id in task_ids]
    return ended


def test_killed_children_cost_seconds_and_no_task(platform: Cluster) -> None:
    tasks = _run(platform, KILLED, "kill_own_process_once", repeat=True)

    assert {(task.status, task.run_count) for task in tasks} == {(TaskStatus.FINISHED, 2)}
    assert _p95([_seconds(task) for task in tasks]) <= P95_SECONDS


@pytest.mark.parametrize("function", ["raise_error", "exit_process"])
def test_what_a_function_raises_ends_its_task_with_the_reason(platform: Cluster, function: str) -> None:
    tasks = _run(platform, OTHERS, function)

    assert {(task.status, task.reason_code, task.run_count) for task in tasks} == {
        (TaskStatus.FAILED, "function_failed", 1)
    }
    assert all(task.reason for task in tasks)
    assert _p95([_seconds(task) for task in tasks]) <= P95_SECONDS


def test_runs_over_their_limit_end_with_the_reason(platform: Cluster) -> None:
    tasks = _run(platform, OTHERS, "work_on_whatever_happens", run_seconds=RUN_SECONDS, repeat=True)

    assert {(task.status, task.reason_code, task.run_count) for task in tasks} == {
        (TaskStatus.FAILED, "run_timeout", 1)
    }
    assert _p95([_seconds(task) - RUN_SECONDS for task in tasks]) <= P95_SECONDS


def test_a_lost_run_that_may_not_be_repeated_is_never_run_twice(platform: Cluster) -> None:
    (task,) = _run(platform, 1, "kill_own_process_once", repeat=False)

    assert (task.status, task.reason_code, task.run_count) == (TaskStatus.FAILED, "worker_lost", 1)


def test_no_run_is_lost_while_the_task_service_is_away(make_platform: Callable[..., Cluster]) -> None:
    lease = 4.0
    platform = make_platform("embedded", GM_LEASE_SECONDS=str(lease))
    gate = platform.folder / "gate"
    task_id = platform.submit("wait_for_file", {"path": str(gate)}, repeat=False)
    wait_for(lambda: platform.tasks.get(task_id).status is TaskStatus.RUNNING, 20, "its run")

    platform.processes["gm_async_task"].kill()
    back_at = time.monotonic() + 2 * lease
    wait_for(lambda: time.monotonic() > back_at, 3 * lease, "the end of its lease")
    gate.touch()
    platform.start("gm_async_task")
    platform.wait_ready()
    task = platform.ended(task_id)

    assert (task.status, task.run_count) == (TaskStatus.FINISHED, 1)
    assert "service_unheard" in platform.processes["keeper"].text()


def test_nothing_is_left_running(platform: Cluster) -> None:
    assert platform.tasks.list("S001", status=2, limit=1000) == []
