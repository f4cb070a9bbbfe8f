"""R13: tasks that kill the process that runs them, and messages that are none, between ordinary tasks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.task_api.models import TaskStatus
from tests.support.brokers import hostile_messages, publish
from tests.support.cluster import QUEUE, Cluster

GOOD, POISON, MALFORMED = 200, 5, 100
MAX_RUNS = 3

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    # The lease is the real one: what is found here within seconds is found without it.
    with Cluster(tmp_path_factory.mktemp("poison"), GM_LEASE_SECONDS="60", GM_MAX_RUNS=str(MAX_RUNS)) as cluster:
        yield cluster


def _put_malformed(platform: Cluster, alone: int) -> int:
    """Put at least a part of the malformed messages where workers look; return how many."""
    hostile = hostile_messages("tests.support.task_functions.double", alone)
    publish(platform.environment["GM_BROKER_URL"], QUEUE, hostile)
    return len(hostile) + platform.broker.put_garbage(QUEUE)


def test_poison_and_malformed_messages_cost_no_other_task(platform: Cluster) -> None:
    alone = platform.tasks.create("S001", "tests.support.task_functions.double", {"n": 1}).task_id
    worker, malformed = platform.processes["gm_task"], 0
    good, poison = list[int](), list[int]()

    for turn in range(POISON):
        marks = str(platform.folder / f"marks-{turn}")
        poison.append(platform.submit("kill_own_process", {"marks": marks}, repeat=True))
        if malformed < MALFORMED:
            malformed += _put_malformed(platform, alone)
        good += [platform.submit("double", {"n": number}) for number in range(GOOD // POISON)]
    ended = [platform.ended(task_id) for task_id in [*poison, *good]]

    crashes = [(platform.folder / f"marks-{turn}").stat().st_size for turn in range(POISON)]
    assert malformed >= MALFORMED
    assert [task.status for task in ended[POISON:]] == [TaskStatus.FINISHED] * GOOD
    assert {(task.status, task.reason_code) for task in ended[:POISON]} == {(TaskStatus.FAILED, "worker_lost")}
    assert crashes == [MAX_RUNS] * POISON
    assert (platform.tasks.get(alone).status, platform.tasks.get(alone).run_count) == (TaskStatus.SUBMITTED, 0)
    assert worker.process.poll() is None, worker.text()[-2000:]
