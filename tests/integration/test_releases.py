"""Workers, releases and lanes on the real service, on each database; the clock is moved instead of waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.engine import Engine
from structlog.testing import capture_logs

from gm_async_task.db import metadata
from gm_async_task.tasks.models import tasks
from gm_async_task.tasks.sweep import Sweeper
from gm_async_task.workers.keeping import WorkerKeeper
from shared.database import DatabaseClock
from shared.errors import PlatformError, ReleaseEnded, ReleaseNotFound, ReleaseUnderWay
from shared.task_api.client import TaskClient
from shared.task_api.models import TaskStatus
from shared.task_api.worker_client import WorkerClient
from shared.task_api.workers import Presence, Worker
from tests.support.async_task import AppTransport, make_database, make_service, make_settings
from tests.support.queues import RecordingQueue

SETTINGS: dict[str, Any] = {"ring_window": 3, "presence_seconds": 5, "unknown_name_seconds": 60}
SILENT_SECONDS = 15.1


class Platform:
    """The service, a keeper and a broker that is a list."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.clock, self.queue = engine, DatabaseClock(), RecordingQueue()
        self.app: Flask = make_service(engine, self.clock, **SETTINGS)
        transport = AppTransport(self.app)
        self.tasks, self.workers = TaskClient(transport), WorkerClient(transport)
        settings = make_settings(**SETTINGS)
        self.keepers = (
            WorkerKeeper(engine, settings, self.clock),
            Sweeper(engine, settings, self.clock, self.queue),
        )

    def report(self, version: str, functions: tuple[str, ...] = ("demo.work",), **changes: Any) -> Presence:
        """Report a worker of `version`."""
        given = {"host": "h", "pid": 7, "queues": ["q"], "concurrency": 2, "runs": [], "started_seconds": 60}
        return self.workers.report(
            **{"name": f"w-{version}", "version": version, "functions": list(functions), **given, **changes}
        )

    def add(self, **changes: Any) -> int:
        """Add a task with a queue and return its id."""
        return self.tasks.create(
            **{"station_id": "S001", "task_name": "demo.work", "input": "{}", "queue": "q", **changes}
        ).task_id

    def rung_by_add(self, **changes: Any) -> str | None:
        """Add a task and return the queue that is to be rung."""
        return self.tasks.create(
            **{"station_id": "S001", "task_name": "demo.work", "input": "{}", "queue": "q", **changes}
        ).queue

    def sweep_after(self, seconds: float) -> list[tuple[int, str]]:
        """Move the clock, sweep, and return the new rings as (task id, queue)."""
        self.clock.offset_seconds += seconds
        before = len(self.queue.rung)
        for keeper in self.keepers:
            keeper.sweep()
        return [(task_id, self.queue.queues[place]) for place, (task_id, _) in enumerate(self.queue.rung)][before:]

    def try_new(self, percent: int = 100, **changes: Any) -> None:
        """Have an old and a new worker, and try the new one's version."""
        self.report("old")
        self.workers.begin_release("new", percent=percent, **changes)
        self.report("new")

    def worker(self, version: str) -> Worker:
        """Return a listed worker."""
        return next(each for each in self.workers.list() if each.version == version)


@pytest.fixture
def platform(database_url: str) -> Iterator[Platform]:
    engine = make_database(database_url)
    yield Platform(engine)
    engine.dispose()


def test_migrations_make_what_the_models_say(database_url: str) -> None:
    engine = make_database(database_url)

    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    assert [each for each in differences if "alembic_async_task" not in str(each)] == []
    engine.dispose()


def test_listed_worker_says_what_it_reported(platform: Platform) -> None:
    run = {"task_id": 1, "task_name": "demo.work", "run_count": 2, "seconds": 3.5}
    platform.report("1.0", ("demo.work", "demo.more"), name="w", runs=[run])
    platform.clock.offset_seconds += 10

    (worker,) = platform.workers.list()

    assert (worker.name, worker.host, worker.pid, worker.version) == ("w", "h", 7, "1.0")
    assert (worker.queues, worker.serve, worker.functions) == (["q"], ["q"], ["demo.work", "demo.more"])
    assert [each.model_dump() for each in worker.runs] == [run]
    assert (worker.state, worker.lane, worker.concurrency) == ("live", "base", 2)
    assert 10 <= worker.seen_seconds < 12
    assert 60 <= (worker.seen_at - worker.started_at).total_seconds() < 61


def test_a_worker_that_says_nothing_is_silent_then_forgotten(platform: Platform) -> None:
    platform.report("1.0")

    platform.sweep_after(14)
    assert platform.worker("1.0").state == "live"
    platform.sweep_after(2)
    assert platform.worker("1.0").state == "silent"
    platform.sweep_after(3600)
    assert platform.workers.list() == []


def test_a_worker_that_leaves_is_no_longer_listed(platform: Platform) -> None:
    platform.report("1.0")

    platform.workers.leave("w-1.0")

    assert platform.workers.list() == []


def test_share_of_the_new_tasks_goes_to_the_grey_queue(platform: Platform) -> None:
    platform.try_new(percent=50)

    rung = [platform.rung_by_add(user_task_id=f"t{number}") for number in range(60)]

    assert set(rung) == {"q", "q.grey"}
    assert [platform.rung_by_add(user_task_id=f"t{number}") for number in range(60)] == rung


@pytest.mark.parametrize(
    ("share", "task", "queue"),
    [
        ({"percent": 0}, {}, "q"),
        ({"percent": 100}, {}, "q.grey"),
        ({"percent": 100, "stations": ["S002"]}, {}, "q"),
        ({"percent": 100, "stations": ["S002"]}, {"station_id": "S002"}, "q.grey"),
        ({"percent": 100, "queues": ["r"]}, {}, "q"),
        ({"percent": 100}, {"queue": "unserved"}, "unserved"),
        ({"percent": 100}, {"queue": None}, None),
    ],
)
def test_share_names_stations_and_queues(platform: Platform, share: Any, task: Any, queue: str | None) -> None:
    platform.try_new(percent=0)

    platform.workers.share_release("new", **share)

    assert platform.rung_by_add(**task) == queue


def test_no_task_goes_to_a_version_without_a_live_worker(platform: Platform) -> None:
    platform.workers.begin_release("new", percent=100)
    assert platform.rung_by_add() == "q"

    platform.report("new")
    assert platform.rung_by_add() == "q.grey"

    platform.clock.offset_seconds += SILENT_SECONDS
    assert platform.rung_by_add() == "q"


def test_keeper_rings_the_lane_of_a_task_with_a_window_for_each(platform: Platform) -> None:
    platform.try_new(percent=0)
    base = [platform.add() for _ in range(4)]
    platform.workers.share_release("new", percent=100)
    grey = [platform.add() for _ in range(4)]
    platform.clock.offset_seconds += 6
    platform.report("new")

    rung = platform.sweep_after(0)

    expected = [*((task_id, "q") for task_id in base[:3]), *((task_id, "q.grey") for task_id in grey[:3])]
    assert sorted(rung) == sorted(expected)


def test_places_and_starts_are_told_of_the_own_lane(platform: Platform) -> None:
    platform.try_new(percent=0)
    base = [platform.add() for _ in range(5)]
    platform.workers.share_release("new", percent=100)
    grey = [platform.add() for _ in range(2)]
    for task_id in base[:3]:
        platform.tasks.start(task_id)

    told = {task.task_id: task for task in platform.tasks.list("S001", status=1, with_waiting=True)}

    assert [told[task_id].ahead for task_id in (*base[3:], *grey)] == [0, 1, 0, 1]
    assert [told[task_id].starts_in_seconds is None for task_id in (*base[3:], *grey)] == [False, False, True, True]


def test_grey_tasks_whose_workers_are_gone_go_to_the_base_lane_at_once(platform: Platform) -> None:
    platform.try_new()
    task_id = platform.add()
    assert platform.sweep_after(0) == []

    assert platform.sweep_after(SILENT_SECONDS) == [(task_id, "q")]


def test_grey_tasks_of_a_queue_that_the_new_workers_no_longer_serve_go_to_the_base_lane(platform: Platform) -> None:
    platform.try_new()
    task_id = platform.add()
    platform.report("new", queues=["other"])

    assert platform.sweep_after(0) == [(task_id, "q")]


@pytest.mark.parametrize("state", ["live", "rolled_back"])
def test_end_of_a_release_moves_what_waits_for_it(platform: Platform, state: str) -> None:
    platform.try_new()
    task_id = platform.add()
    assert platform.sweep_after(0) == []

    release = platform.workers.end_release("new", state=state, reason="seen enough")

    assert platform.sweep_after(0) == [(task_id, "q")]
    assert (release.state, release.reason) == (state, "seen enough")
    assert release.ended_at is not None
    assert platform.rung_by_add() == "q"


def test_a_live_release_drains_the_other_versions(platform: Platform) -> None:
    platform.try_new()

    platform.workers.end_release("new", state="live")

    old, new = platform.report("old"), platform.report("new")
    assert (old.serve, old.drained) == ([], True)
    assert (new.serve, new.drained) == (["q", "q.grey"], False)
    assert [platform.worker(version).lane for version in ("old", "new")] == ["drained", "base"]


def test_a_live_release_drains_the_versions_too_whose_workers_can_not_be_heard_now(platform: Platform) -> None:
    platform.report("cut-off")
    platform.clock.offset_seconds += SILENT_SECONDS
    platform.try_new()

    platform.workers.end_release("new", state="live")

    assert platform.report("cut-off").serve == []


def test_a_release_taken_back_drains_its_version(platform: Platform) -> None:
    platform.try_new()
    assert platform.report("new").serve == ["q.grey"]

    platform.workers.end_release("new", state="rolled_back")

    assert (platform.report("old").serve, platform.report("new").serve) == (["q"], [])


def test_a_drained_worker_serves_again_when_nobody_else_does(platform: Platform) -> None:
    platform.try_new()
    platform.workers.end_release("new", state="live")
    platform.clock.offset_seconds += SILENT_SECONDS

    old = platform.report("old")

    assert (old.serve, old.drained) == (["q"], True)


def test_a_version_taken_back_may_be_tried_again(platform: Platform) -> None:
    platform.try_new()
    first = platform.workers.end_release("new", state="rolled_back")

    second = platform.workers.begin_release("new", percent=5)

    assert second.id > first.id
    assert platform.report("new").serve == ["q.grey"]


def test_beginning_again_changes_the_share_of_the_same_release(platform: Platform) -> None:
    first = platform.workers.begin_release("new", percent=5)

    again = platform.workers.begin_release("new", percent=20, stations=["S001"], queues=["q"])

    assert (again.id, again.percent, again.stations, again.queues) == (first.id, 20, ["S001"], ["q"])


def test_a_second_version_is_not_tried_beside_the_first(platform: Platform) -> None:
    platform.workers.begin_release("new", percent=5)

    with pytest.raises(ReleaseUnderWay):
        platform.workers.begin_release("newer", percent=5)


def test_an_end_may_be_repeated_and_not_changed(platform: Platform) -> None:
    platform.workers.begin_release("new", percent=5)
    ended = platform.workers.end_release("new", state="live")

    assert platform.workers.end_release("new", state="live") == ended
    with pytest.raises(ReleaseEnded):
        platform.workers.end_release("new", state="rolled_back")
    with pytest.raises(ReleaseEnded):
        platform.workers.share_release("new", percent=1)


def test_a_version_that_was_never_released_is_not_found(platform: Platform) -> None:
    assert platform.workers.get_release().release is None
    for call in (
        lambda: platform.workers.get_release("x"),
        lambda: platform.workers.share_release("x", percent=1),
        lambda: platform.workers.end_release("x", state="live"),
    ):
        with pytest.raises(ReleaseNotFound):
            call()


def test_of_two_releases_begun_at_once_one_is_tried(platform: Platform) -> None:
    barrier = threading.Barrier(8)

    def begin(number: int) -> str | None:
        barrier.wait()
        try:
            return WorkerClient(AppTransport(platform.app)).begin_release(f"v{number}", percent=1).version
        except ReleaseUnderWay:
            return None

    for _ in range(10):
        with ThreadPoolExecutor(8) as threads:
            begun = [version for version in threads.map(begin, range(8)) if version]
        assert len(begun) == 1
        platform.workers.end_release(begun[0], state="rolled_back")


def test_figures_tell_what_became_of_both_lanes(platform: Platform) -> None:
    platform.add()  # before it began
    platform.clock.offset_seconds += 1
    platform.try_new()
    ids = [platform.add() for _ in range(6)]
    platform.workers.share_release("new", percent=0)
    base = platform.add()
    platform.clock.offset_seconds += 4
    for task_id in [*ids[:4], base]:
        platform.tasks.start(task_id)
    platform.tasks.finish(ids[0])
    platform.tasks.finish(ids[1], status=5, reason_code="function_failed")
    platform.tasks.finish(ids[2], status=5, reason_code="closed")

    lanes = platform.workers.get_release("new").lanes

    grey = lanes["grey"]
    assert (grey.added, grey.started, grey.ended, grey.running) == (6, 4, 3, 1)
    assert (grey.failed, grey.failed_by_code) == (1, {"function_failed": 1})
    assert grey.start_delay_seconds.p50 is not None and 3.9 < grey.start_delay_seconds.p50 < 6
    assert grey.oldest_waiting_seconds is not None and 3.9 < grey.oldest_waiting_seconds < 6
    assert (lanes["base"].added, lanes["base"].running, lanes["base"].oldest_waiting_seconds) == (1, 1, None)


def test_figures_read_one_index_and_no_row(platform: Platform) -> None:
    platform.try_new()
    platform.add()
    asked: list[tuple[str, Any]] = []

    @event.listens_for(platform.engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM tbl_async_task" in statement:
            asked.append((statement, parameters))

    platform.workers.get_release()
    event.remove(platform.engine, "before_cursor_execute", _note)

    sqlite = platform.engine.dialect.name == "sqlite"
    with platform.engine.connect() as connection:
        plans = [
            str(connection.exec_driver_sql(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + statement, given).all())
            for statement, given in asked
        ]
    covering = "USING COVERING INDEX ix_tbl_async_task_figures" if sqlite else "Using index"
    assert len(plans) == 4
    assert [plan for plan in plans if covering not in plan] == []


def test_a_bell_handed_back_is_rung_again_soon_and_beside_the_window(platform: Platform) -> None:
    platform.report("old", ())
    platform.report("new")
    refused = platform.add()
    others = [platform.add() for _ in range(5)]
    assert len(platform.sweep_after(6)) == 3  # the window is full

    for _ in range(4):
        platform.workers.refuse(refused, task_name="demo.work", worker="w-old")
        assert (refused, "q") in platform.sweep_after(0.6)

    assert others


def test_a_bell_handed_back_goes_to_the_lane_where_it_is_known(platform: Platform) -> None:
    platform.report("old", ())
    platform.workers.begin_release("new", percent=0)
    platform.report("new", ("demo.work",))
    task_id = platform.add()

    assert platform.workers.refuse(task_id, task_name="demo.work", worker="w-old")

    assert platform.sweep_after(0.6) == [(task_id, "q.grey")]


def test_a_grey_task_that_only_old_workers_know_goes_to_the_base_lane(platform: Platform) -> None:
    platform.report("old")
    platform.workers.begin_release("new", percent=100)
    platform.report("new", ())
    task_id = platform.add()

    assert platform.workers.refuse(task_id, task_name="demo.work", worker="w-new")

    assert platform.sweep_after(0.6) == [(task_id, "q")]


def test_a_name_that_only_workers_of_other_queues_know_is_not_handed_back(platform: Platform) -> None:
    platform.report("new", queues=["other"])
    task_id = platform.add()

    assert not platform.workers.refuse(task_id, task_name="demo.work", worker="w-old")


def test_refused_tasks_are_due_at_once_when_a_worker_with_their_function_comes(platform: Platform) -> None:
    platform.report("old", ("demo.other",))
    refused = [platform.add() for _ in range(2)]
    for task_id in refused:
        platform.workers.refuse(task_id, task_name="demo.work", worker="w-old")
    never_refused = platform.add()
    assert platform.sweep_after(0) == []

    platform.report("old", ("demo.other", "demo.work"))

    assert platform.sweep_after(0) == [(task_id, "q") for task_id in refused]
    assert platform.tasks.get(never_refused).status == TaskStatus.SUBMITTED


def test_the_grace_time_of_a_name_begins_anew_once_a_worker_came_with_it(platform: Platform) -> None:
    task_id = platform.add()
    platform.workers.refuse(task_id, task_name="demo.work", worker="w-old")
    platform.report("new")
    platform.clock.offset_seconds += 3600  # it was busy all the time, and now nobody is heard of for a moment

    platform.workers.refuse(task_id, task_name="demo.work", worker="w-old")

    assert platform.tasks.get(task_id).status == TaskStatus.SUBMITTED


def test_an_alert_is_logged_from_the_third_refusal_on(platform: Platform) -> None:
    task_id = platform.add()

    with capture_logs() as lines:
        for _ in range(4):
            platform.workers.refuse(task_id, task_name="demo.work", worker="w-old")

    told = [(line["log_level"], line["refused"]) for line in lines if line["event"] == "task_unknown"]
    assert told == [("info", 1), ("info", 2), ("error", 3), ("error", 4)]


def test_refusals_at_once_and_a_start_leave_one_outcome(platform: Platform) -> None:
    barrier = threading.Barrier(6)

    def act(number: int, task_id: int) -> None:
        barrier.wait()
        transport = AppTransport(platform.app)
        try:
            if number == 0:
                TaskClient(transport).start(task_id)
            else:
                WorkerClient(transport).refuse(task_id, task_name="demo.work", worker="w")
        except PlatformError as error:
            assert error.code == 40900

    for _ in range(10):
        task_id = platform.add()
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(act, range(6), [task_id] * 6))
        with platform.engine.connect() as connection:
            row = connection.execute(select(tasks).where(tasks.c.id == task_id)).one()
        assert (row.status, row.refused_count) == (TaskStatus.RUNNING, 0)
