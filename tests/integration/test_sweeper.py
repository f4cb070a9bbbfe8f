"""What the keeper rings for, rescues, ends and purges, with the clock moved instead of waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy.engine import Engine

from gm_async_task.hearing import Hearing
from gm_async_task.tasks.sweep import Sweeper
from shared.database import DatabaseClock
from shared.errors import StaleRun, TaskNotFound
from shared.task_api.client import TaskClient
from shared.task_api.models import TaskStatus
from tests.support.async_task import AppTransport, make_database, make_service, make_settings
from tests.support.queues import RecordingQueue

DAY = 86_400
SETTINGS = {"lease_seconds": 60, "ring_after_seconds": 5, "ring_at_most_every_seconds": 60, "ring_window": 3}


@dataclass
class Platform:
    """The service, a keeper and a broker that is a list."""

    engine: Engine
    client: TaskClient
    sweeper: Sweeper
    clock: DatabaseClock
    queue: RecordingQueue
    second_keeper: Callable[[], Sweeper]

    def add(self, **changes: object) -> int:
        """Add a task with a queue and return its id."""
        options = {"station_id": "S001", "task_name": "demo.work", "input": "{}", "queue": "q", **changes}
        return self.client.create(**options).task_id

    def sweep_after(self, seconds: float) -> list[tuple[int, int]]:
        """Move the clock, sweep, and return the new rings."""
        self.clock.offset_seconds += seconds
        before = len(self.queue.rung)
        self.sweeper.sweep()
        return self.queue.rung[before:]


@pytest.fixture
def platform(database_url: str) -> Iterator[Platform]:
    engine: Engine = make_database(database_url)
    clock, queue = DatabaseClock(), RecordingQueue()
    settings = make_settings(**SETTINGS, retention_days=30)
    client = TaskClient(AppTransport(make_service(engine, clock, **SETTINGS)))
    yield Platform(
        engine,
        client,
        Sweeper(engine, settings, clock, queue),
        clock,
        queue,
        lambda: Sweeper(engine, settings, clock, queue),
    )
    engine.dispose()


def test_task_that_was_added_and_never_started_is_rung_for(platform: Platform) -> None:
    task_id = platform.add()

    assert platform.sweep_after(0) == []
    assert platform.sweep_after(6) == [(task_id, 0)]


def test_rings_are_repeated_with_growing_pauses(platform: Platform) -> None:
    task_id = platform.add()

    rings = [len(platform.sweep_after(5.5)) for _ in range(8)]

    assert sum(rings) == 4, "at 5.5, 11, 22 and 44 seconds"
    assert platform.sweep_after(61) == [(task_id, 0)]


def test_task_added_without_a_queue_is_left_alone(platform: Platform) -> None:
    platform.add(queue=None)

    assert platform.sweep_after(30 * DAY) == []


def test_broker_away_is_tried_again_at_the_next_sweep(platform: Platform) -> None:
    task_id = platform.add()
    platform.queue.away = True
    assert platform.sweep_after(6) == []

    platform.queue.away = False

    assert platform.sweep_after(0.01) == [(task_id, 0)]


def test_window_bounds_unanswered_rings(platform: Platform) -> None:
    ids = [platform.add() for _ in range(5)]

    assert platform.sweep_after(6) == [(task_id, 0) for task_id in ids[:3]]
    assert platform.sweep_after(0.01) == []


def test_window_counts_only_rings(platform: Platform) -> None:
    oldest = platform.add()
    platform.clock.offset_seconds += 5.5
    for _ in range(3):
        platform.add()  # rung for by whoever added them, not by the keeper

    assert platform.sweep_after(0) == [(oldest, 0)]


def test_two_keepers_ring_once(platform: Platform) -> None:
    task_id = platform.add()
    second = platform.second_keeper()
    platform.queue.before_send = second.sweep

    assert platform.sweep_after(6) == [(task_id, 0)]


def test_one_queue_that_fails_does_not_silence_the_others(platform: Platform) -> None:
    platform.add(queue="a-broken")
    task_id = platform.add(queue="b-fine")
    platform.queue.broken = "a-broken"

    assert platform.sweep_after(6) == [(task_id, 0)]


def test_run_handed_back_is_rung_for_at_once_however_often_it_was_before(platform: Platform) -> None:
    task_id = platform.add(repeat=True)
    for _ in range(4):
        platform.sweep_after(61)
    platform.client.start(task_id)
    platform.client.release(task_id, run_count=1)
    assert platform.sweep_after(0) == [(task_id, 1)]

    assert platform.sweep_after(5.5) == [(task_id, 1)], "the pauses begin anew"


def test_task_started_again_after_a_long_time_is_rescued_like_any_other(platform: Platform) -> None:
    task_id = platform.add(repeat=True)
    platform.client.start(task_id)
    platform.client.finish(task_id, run_count=1)
    platform.clock.offset_seconds += 8 * DAY
    platform.client.start(task_id)

    assert platform.sweep_after(61) == [(task_id, 2)]


def test_run_renewed_while_the_keeper_looks_is_not_lost(platform: Platform) -> None:
    task_id = platform.add(repeat=True)
    platform.client.start(task_id)
    platform.clock.offset_seconds += 61
    (candidate,) = platform.sweeper.find_lost_runs()
    platform.client.heartbeat(task_id, 1)

    platform.sweeper.rescue(candidate)

    assert platform.client.get(task_id).status == TaskStatus.RUNNING


def test_lost_run_is_rung_for_with_its_run_count(platform: Platform) -> None:
    task_id = platform.add(repeat=True)
    platform.client.start(task_id)

    assert platform.sweep_after(61) == [(task_id, 1)]
    assert platform.client.start(task_id, expect_run_count=1).run_count == 2


def test_renewed_lease_is_not_lost(platform: Platform) -> None:
    task_id = platform.add(repeat=True)
    platform.client.start(task_id)
    platform.clock.offset_seconds += 50
    platform.client.heartbeat(task_id, 1)

    platform.sweep_after(50)

    assert platform.client.get(task_id).status == TaskStatus.RUNNING


def test_heartbeat_does_not_hide_a_run_over_its_limit(platform: Platform) -> None:
    task_id = platform.add(repeat=True, run_seconds=90)
    platform.client.start(task_id)
    for _ in range(2):
        platform.clock.offset_seconds += 50
        platform.client.heartbeat(task_id, 1)

    platform.sweep_after(0)

    task = platform.client.get(task_id)
    assert (task.status, task.reason_code) == (TaskStatus.FAILED, "run_timeout")
    with pytest.raises(StaleRun):
        platform.client.heartbeat(task_id, 1)


def test_unanswered_stop_ends_the_run_after_its_grace_time(platform: Platform) -> None:
    task_id = platform.add()
    platform.client.start(task_id)
    platform.client.close(task_id, reason="Wrong file.")
    platform.client.heartbeat(task_id, 1)

    platform.sweep_after(31)

    task = platform.client.get(task_id)
    assert (task.status, task.reason, task.reason_code) == (TaskStatus.FAILED, "Wrong file.", "closed")


def test_task_that_nobody_starts_is_ended_with_a_reason(platform: Platform) -> None:
    task_id = platform.add()

    platform.sweep_after(8 * DAY)

    assert platform.client.get(task_id).reason_code == "never_started"


@pytest.mark.parametrize(("pause_seconds", "ended"), [(60.0, 0), (0.0, 1)])
def test_what_waits_for_too_long_is_looked_for_after_a_pause(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, pause_seconds: float, ended: int
) -> None:
    monkeypatch.setattr("gm_async_task.tasks.sweep._SEEK_NEVER_STARTED_SECONDS", pause_seconds)
    platform.add()
    platform.sweeper.sweep()
    platform.clock.offset_seconds += 8 * DAY

    assert platform.sweeper.sweep().ended == ended


def test_old_ended_tasks_are_purged_and_others_kept(platform: Platform) -> None:
    ended, waiting = platform.add(), platform.add(queue=None)
    platform.client.start(ended)
    platform.client.finish(ended)

    platform.sweep_after(31 * DAY)

    with pytest.raises(TaskNotFound):
        platform.client.get(ended)
    assert platform.client.get(waiting).status == TaskStatus.SUBMITTED


def test_no_run_is_lost_while_it_could_not_be_heard(platform: Platform) -> None:
    answers = [False]
    hearing = Hearing(lambda: answers[0], 60, lambda: platform.clock.offset_seconds)
    deaf = Sweeper(platform.engine, make_settings(**SETTINGS), platform.clock, platform.queue, hearing=hearing)
    task_id = platform.add()
    run_count = platform.client.start(task_id).run_count

    platform.clock.offset_seconds += 300
    assert deaf.sweep().rescued == 0
    answers[0] = True
    assert deaf.sweep().rescued == 0
    platform.client.heartbeat(task_id, run_count)
    platform.clock.offset_seconds += 31
    assert deaf.sweep().rescued == 0
    platform.clock.offset_seconds += 60
    assert deaf.sweep().rescued == 1
