"""What gm_async_task shows of its table, on each database: open tasks by one query, ends and starts by events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.engine import Engine

from gm_async_task.tasks.census import Census
from gm_async_task.tasks.meter import TaskMeter
from gm_async_task.tasks.sweep import Sweeper
from shared.database import DatabaseClock, make_engine
from shared.errors import StaleRun
from shared.metrics.exposition import Exposition, Reading
from shared.metrics.meters import Meters
from shared.metrics.table import ASYNC_TASK, KEEPER
from shared.task_api.client import TaskClient
from tests.support.async_task import AUTH_KEY, AppTransport, make_database, make_service, make_settings
from tests.support.queues import RecordingQueue

SETTINGS = {"lease_seconds": 60, "ring_after_seconds": 5, "stop_seconds": 10, "max_runs": 3}
Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Values:
    """Return the samples of an exposition."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@dataclass
class Platform:
    """The service and a keeper on one database, with the clock moved instead of waited for."""

    engine: Engine
    app: Flask
    client: TaskClient
    sweeper: Sweeper
    clock: DatabaseClock
    keeper_meters: Meters

    def add(self, **changes: object) -> int:
        options = {"station_id": "S001", "task_name": "demo.work", "input": "{}", "queue": "q", **changes}
        return self.client.create(**options).task_id

    def value(self, name: str, **labels: str) -> float:
        """Scrape the service; its gauges may be a second old, so the table is asked anew for them."""
        answer = self.app.test_client().get("/metrics", headers={"X-Auth-Key": AUTH_KEY})
        assert answer.status_code == 200
        readings = Census(self.engine, self.clock).read_gauges()
        now = {(each.metric.name, frozenset(each.labels.items())): each.value for each in readings}
        return {**read(answer.text), **now}[name, frozenset(labels.items())]

    def swept(self, name: str, **labels: str) -> float:
        """Read what the keeper counted."""
        return read(Exposition(self.keeper_meters, "r1").text().decode())[name, frozenset(labels.items())]


@pytest.fixture
def platform(database_url: str) -> Iterator[Platform]:
    engine: Engine = make_database(database_url)
    clock, meters = DatabaseClock(), Meters(KEEPER)
    app = make_service(engine, clock, **SETTINGS)
    sweeper = Sweeper(engine, make_settings(**SETTINGS), clock, RecordingQueue(), TaskMeter(meters))
    yield Platform(engine, app, TaskClient(AppTransport(app)), sweeper, clock, meters)
    engine.dispose()


def test_open_tasks_are_counted_by_status_and_queue(platform: Platform) -> None:
    tasks = [platform.add() for _ in range(3)]
    platform.add(queue="other", task_name="demo.more")
    platform.client.create("S001", "demo.work", "{}")
    platform.client.start(tasks[0])
    platform.client.start(tasks[1])
    platform.client.close(tasks[1])
    ended = platform.client.start(platform.add())
    platform.client.finish(ended.task_id, run_count=ended.run_count)

    counts = {
        (queue, status): platform.value("gm_tasks", queue=queue, status=status)
        for queue in ("q", "other", "none")
        for status in ("submitted", "running", "stop_requested")
    }

    assert {key: count for key, count in counts.items() if count} == {
        ("q", "submitted"): 1,
        ("q", "running"): 1,
        ("q", "stop_requested"): 1,
        ("other", "submitted"): 1,
        ("none", "submitted"): 1,
    }
    assert platform.value("gm_database_up") == 1


def test_ages_are_those_of_the_oldest(platform: Platform) -> None:
    platform.add()
    running = platform.client.start(platform.add())
    platform.clock.offset_seconds += 100
    platform.add()
    platform.client.heartbeat(running.task_id, running.run_count)

    assert platform.value("gm_oldest_submitted_seconds", queue="q") == pytest.approx(100, abs=20)
    assert platform.value("gm_oldest_run_seconds", queue="q") == pytest.approx(100, abs=20)


def test_task_given_back_waits_from_then_on(platform: Platform) -> None:
    task_id = platform.add(repeat=True)
    platform.clock.offset_seconds += 1000
    run = platform.client.start(task_id)
    platform.client.release(task_id, run_count=run.run_count)
    platform.clock.offset_seconds += 30
    platform.client.start(task_id)

    assert platform.value("gm_task_start_delay_seconds_count", queue="q") == 2
    assert platform.value("gm_task_start_delay_seconds_sum", queue="q") == pytest.approx(1030, abs=20)


def test_doorbells_are_outstanding_until_the_start(platform: Platform) -> None:
    task_id = platform.add()
    platform.clock.offset_seconds += 6
    platform.sweeper.sweep()
    rung = platform.value("gm_doorbells_outstanding", queue="q")
    platform.client.start(task_id)

    assert (rung, platform.value("gm_doorbells_outstanding", queue="q")) == (1, 0)


def test_every_end_is_counted_once_with_its_reason(platform: Platform) -> None:
    first, second = platform.client.start(platform.add()), platform.client.start(platform.add())
    for _ in range(2):  # the answer may be lost and the finish repeated
        platform.client.finish(first.task_id, run_count=first.run_count)
    platform.client.finish(second.task_id, status=5, reason="no", reason_code="bad_input", run_count=1)
    platform.client.close(platform.add())
    stopped = platform.client.start(platform.add(repeat=True))
    platform.client.close(stopped.task_id)
    platform.client.release(stopped.task_id, run_count=1)
    lost = platform.client.start(platform.add())
    platform.client.release(lost.task_id, run_count=1, lost=True)
    old = platform.client.start(platform.add())
    platform.client.update(old.task_id, field="status", value=4)

    assert platform.value("gm_task_ended_total", status="finished") == 1
    assert platform.value("gm_task_ended_total", status="partly_succeeded") == 1
    assert platform.value("gm_task_ended_total", status="failed") == 4
    assert platform.value("gm_task_failures_total", code="closed") == 2
    assert platform.value("gm_task_failures_total", code="worker_lost") == 1
    assert platform.value("gm_task_failures_total", code="bad_input") == 1
    assert platform.value("gm_runs_lost_total") == 1
    assert platform.value("gm_unfenced_writes_total", verb="update") == 1
    assert platform.value("gm_task_run_seconds_count", task_name="demo.work", status="failed") == 3


def test_what_the_keeper_ends_is_counted_by_the_keeper(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gm_async_task.tasks.sweep._SEEK_NEVER_STARTED_SECONDS", 0.0)
    lost, overdue, stopped = (platform.client.start(platform.add(run_seconds=s)) for s in (604_800, 50, 604_800))
    platform.client.close(stopped.task_id)
    platform.add()
    platform.clock.offset_seconds += 55
    for run in (lost, overdue, stopped):
        platform.client.heartbeat(run.task_id, 1)
    platform.sweeper.sweep()
    platform.clock.offset_seconds += 65
    platform.sweeper.sweep()
    platform.clock.offset_seconds += 8 * 86_400
    platform.sweeper.sweep()

    codes = {code: platform.swept("gm_task_failures_total", code=code) for code in ("worker_lost", "run_timeout")}
    assert codes == {"worker_lost": 1, "run_timeout": 1}
    assert platform.swept("gm_task_failures_total", code="closed") == 1
    assert platform.swept("gm_task_failures_total", code="never_started") == 1
    assert platform.swept("gm_task_ended_total", status="failed") == 4
    assert platform.swept("gm_runs_lost_total") == 1


def test_stale_writers_are_counted_by_their_code(platform: Platform) -> None:
    run = platform.client.start(platform.add())
    with pytest.raises(StaleRun):
        platform.client.heartbeat(run.task_id, 7)

    assert platform.value("gm_http_errors_total", service=ASYNC_TASK, error="40901") == 1


def test_scrapes_by_the_dozen_ask_the_table_once(database_url: str) -> None:
    engine = make_database(database_url)
    moments = iter([0.0] * 3 + [0.5] * 50)
    census = Census(engine, DatabaseClock(), lambda: next(moments))
    first = census.read_gauges()
    TaskClient(AppTransport(make_service(engine))).create("S001", "demo.work", "{}")

    assert all(census.read_gauges() is first for _ in range(30))
    engine.dispose()


def test_database_that_is_away_is_told_and_takes_nothing_else_away() -> None:
    app = make_service(make_engine("mysql+pymysql://nobody:secretword@127.0.0.1:1/none"))

    answer = app.test_client().get("/metrics")
    values = read(answer.text)

    assert values["gm_database_up", frozenset()] == 0
    assert not [name for name, _ in values if name == "gm_tasks"]
    assert ("gm_task_ended_total", frozenset({("status", "finished")})) in values
    assert "secretword" not in answer.text


class Hanging(Census):
    """Counting never ends; whether the database answers otherwise is up to the test."""

    def __init__(self, engine: Engine, *, answers: bool) -> None:
        super().__init__(engine, DatabaseClock())
        self.asked, self.answers, self.may_end = 0, answers, threading.Event()

    def _count(self) -> list[Reading]:
        self.asked += 1
        self.may_end.wait(60)
        return []

    def _answers(self) -> bool:
        return self.answers and super()._answers()


@pytest.mark.parametrize("answers", [True, False])
def test_counting_that_hangs_is_waited_for_by_one_thread_and_not_for_long(answers: bool) -> None:
    census = Hanging(make_engine("sqlite://"), answers=answers)
    readings = [census.read_gauges() for _ in range(3)]
    census.may_end.set()

    assert [[reading.value for reading in each] for each in readings] == [[int(answers)]] * 3
    assert census.asked == 1
