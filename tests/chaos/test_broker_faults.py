"""R3, R7 and R9: brokers killed with a thousand doorbells, runs longer than the broker waits, links that are cut."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable

import pytest

from shared.task_api.models import TaskStatus
from tests.support.cluster import QUEUE, Cluster
from tests.support.proxy import Proxy
from tests.support.rabbitmq import RabbitMq
from tests.support.redis import RedisServer
from tests.support.waiting import wait_for

SEED = int(os.environ.get("GM_CHAOS_SEED", "20261121"))
DOORBELLS = 1000
CONSUMER_TIMEOUT_SECONDS, RUN_SECONDS = 10, 35
CUTS, HALF_OPENS, BLACK_HOLES, BLACK_SECONDS = 20, 5, 5, 10
RECOVERY_SECONDS = 30.0

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]


def _not_ended(platform: Cluster, task_ids: list[int]) -> list[int]:
    """Return those of the tasks that did not end well in their first run."""
    tasks = [platform.tasks.get(task_id) for task_id in task_ids]
    return [task.task_id for task in tasks if (task.status, task.run_count) != (TaskStatus.FINISHED, 1)]


def _running(platform: Cluster, task_ids: list[int]) -> int:
    return [platform.tasks.get(task_id).status for task_id in task_ids].count(TaskStatus.RUNNING)


@pytest.mark.parametrize("kind", ["embedded", "rabbitmq", "redis"])
def test_a_broker_killed_with_a_thousand_doorbells_loses_none(make_platform: Callable[..., Cluster], kind: str) -> None:
    platform = make_platform(kind)
    platform.processes["gm_task"].kill()
    task_ids = [platform.submit("double", {"n": number}) for number in range(DOORBELLS)]

    platform.broker.kill()
    platform.broker.start()
    began = time.monotonic()
    platform.start("gm_task")
    # What the embedded broker forgets comes back at the pace of the keeper's rings, a window at a time.
    wait_for(lambda: not _not_ended(platform, task_ids[-1:]), 400, "the last task")
    wait_for(lambda: not _not_ended(platform, task_ids), 400, "every task")

    print(f"R3 {kind}: {DOORBELLS} tasks {time.monotonic() - began:.1f} s after the worker came")  # noqa: T201


def test_a_run_longer_than_consumer_timeout_runs_once(make_platform: Callable[..., Cluster]) -> None:
    """R7 on RabbitMQ: both children busy, doorbells waiting behind them, for three times its consumer_timeout."""
    platform = make_platform(
        "rabbitmq", rabbit_args=f"-rabbit consumer_timeout {CONSUMER_TIMEOUT_SECONDS * 1000} channel_tick_interval 2000"
    )
    assert isinstance(platform.broker, RabbitMq)
    gate = platform.folder / "gate"
    task_ids = [platform.submit("wait_for_file", {"path": str(gate)}) for _ in range(6)]
    worker = platform.processes["gm_task"]

    threading.Event().wait(RUN_SECONDS)  # what is tested is that time passes
    running = _running(platform, task_ids)
    gate.touch()
    for task_id in task_ids:
        platform.ended(task_id)

    assert running == 2
    assert _not_ended(platform, task_ids) == []
    assert worker.process.poll() is None
    assert "delivery acknowledgement" in platform.broker.text(), "RabbitMQ did lose its patience"


def test_redis_holds_no_doorbell_of_a_busy_worker(make_platform: Callable[..., Cluster]) -> None:
    """R7 on Redis: its visibility timeout has nothing to bring back, however long runs take."""
    platform = make_platform("redis")
    assert isinstance(platform.broker, RedisServer)
    gate = platform.folder / "gate"
    task_ids = [platform.submit("wait_for_file", {"path": str(gate)}) for _ in range(6)]
    wait_for(lambda: _running(platform, task_ids) == 2, 20, "two runs")

    with platform.broker.connect() as client:
        wait_for(lambda: client.hlen("unacked") == 0, 5, "acknowledged doorbells")
        waiting = client.llen(QUEUE)
    gate.touch()
    for task_id in task_ids:
        platform.ended(task_id)

    assert waiting >= 4, "they wait where another worker may take them"
    assert _not_ended(platform, task_ids) == []


@pytest.mark.parametrize("kind", ["embedded", "rabbitmq"])
def test_a_doorbell_in_a_busy_workers_hand_is_rung_again_for_a_free_one(
    make_platform: Callable[..., Cluster], kind: str
) -> None:
    """With the keeper's real pauses: what a task costs whose bell a busy worker took in advance."""
    platform = make_platform(kind, GM_RING_AFTER_SECONDS="5", GM_SWEEP_SECONDS="1")
    gate = platform.folder / "gate"
    long = [platform.submit("wait_for_file", {"path": str(gate)}) for _ in range(2)]
    wait_for(lambda: _running(platform, long) == 2, 30, "two runs")
    held = platform.submit("double", {"n": 1})

    platform.start_worker("gm_task_2")
    ended = platform.ended(held)
    still_running = _running(platform, long)
    gate.touch()
    for task_id in long:
        platform.ended(task_id)

    assert ended.start_time is not None
    waited = (ended.start_time - ended.create_time).total_seconds()
    print(f"held bell, {kind}: the task started {waited:.1f} s after it was added")  # noqa: T201
    assert (still_running, ended.run_count) == (2, 1)
    assert _not_ended(platform, long) == []


@pytest.mark.parametrize("kind", ["rabbitmq", "redis"])
def test_a_worker_whose_link_is_cut_goes_on(make_platform: Callable[..., Cluster], kind: str) -> None:
    """R9."""
    platform = make_platform(kind)
    chance = random.Random(SEED)
    print(f"seed {SEED}")  # noqa: T201 to run it again
    broker = platform.broker
    assert isinstance(broker, RabbitMq | RedisServer)
    with Proxy(broker.port) as link:
        platform.processes["gm_task"].kill()
        platform.own_environment["gm_task"] = {"GM_BROKER_URL": broker.url.replace(str(broker.port), str(link.port))}
        worker = platform.start("gm_task")
        stopping, task_ids = threading.Event(), list[int]()

        def submit() -> None:
            while not stopping.wait(0.3):
                task_ids.append(platform.submit("double", {"n": 1}))

        load = threading.Thread(target=submit)
        load.start()
        wait_for(lambda: task_ids and not _not_ended(platform, task_ids[:1]), 30, "a task through the proxy")
        hit = 0
        for fault in chance.sample(["cut"] * CUTS + ["half"] * HALF_OPENS + ["black"] * BLACK_HOLES, 30):
            if fault == "cut":
                hit += link.cut() > 0
                stopping.wait(chance.uniform(0.5, 3))
            elif fault == "half":
                hit += link.half_open() > 0
                stopping.wait(chance.uniform(1, 5))
            else:
                link.blacken()
                stopping.wait(BLACK_SECONDS)
                link.clear()
        stopping.set()
        load.join()
        last = time.monotonic()
        wait_for(lambda: not _not_ended(platform, task_ids), RECOVERY_SECONDS, "every task")
        print(f"R9 {kind}: {len(task_ids)} tasks, all {time.monotonic() - last:.1f} s after the last fault")  # noqa: T201

    assert hit >= CUTS // 2, "most faults must meet a connection"
    assert worker.process.poll() is None, worker.text()[-3000:]
