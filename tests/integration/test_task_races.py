"""Many callers at once: one start wins, no partial update is lost (RELIABILITY.md R5, R14)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from gm_async_task.tasks.runs import RunService
from gm_async_task.tasks.service import TaskService
from shared.database import DatabaseClock
from shared.errors import NotStartable, PlatformError
from shared.task_api import commands
from tests.support.async_task import make_database, make_settings

WRITERS = 8
UPDATES = 200


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_database(database_url)
    yield engine
    engine.dispose()


def _services(engine: Engine) -> tuple[TaskService, RunService]:
    settings, clock = make_settings(), DatabaseClock()
    return TaskService(engine, settings, clock), RunService(engine, settings, clock)


def _all_at_once(threads: ThreadPoolExecutor, count: int, act: Callable[[int], Any]) -> list[Any]:
    """Call `act` in `count` threads that begin together; return what each returned or raised."""
    barrier = threading.Barrier(count)

    def begin(number: int) -> Any:
        barrier.wait()
        try:
            return act(number)
        except PlatformError as error:
            return error

    return list(threads.map(begin, range(count)))


@pytest.mark.parametrize(("starters", "rounds"), [(8, 500), (16, 60)])
def test_of_starts_at_once_exactly_one_wins(engine: Engine, starters: int, rounds: int) -> None:
    tasks, runs = _services(engine)
    add = commands.AddTask(station_id="S001", task_name="demo.work", input="{}")

    with ThreadPoolExecutor(starters) as threads:
        for _ in range(rounds):
            start = commands.StartTask(task_id=tasks.add_task(add).task_id)
            outcomes = _all_at_once(threads, starters, lambda _, start=start: runs.start_task(start))

            losers = [outcome for outcome in outcomes if isinstance(outcome, NotStartable)]
            assert len(losers) == starters - 1
            assert tasks.get_task(commands.GetTask(task_id=start.task_id)).run_count == 1


def test_no_partial_update_is_lost(engine: Engine) -> None:
    tasks, runs = _services(engine)
    task_id = tasks.add_task(commands.AddTask(station_id="S001", task_name="demo.work", input="{}")).task_id
    runs.start_task(commands.StartTask(task_id=task_id))
    runs.update_task(commands.UpdateTask(task_id=task_id, field="result", value={str(w): {} for w in range(WRITERS)}))

    def write(writer: int) -> None:
        for number in range(UPDATES):
            place = f'$."{writer}".n{number}'
            runs.update_task(commands.UpdateTask(task_id=task_id, field="result", postion=place, value=number))

    with ThreadPoolExecutor(WRITERS) as threads:
        outcomes = _all_at_once(threads, WRITERS, write)

    assert outcomes == [None] * WRITERS
    result = tasks.get_task(commands.GetTask(task_id=task_id)).result
    assert sum(len(places) for places in result.values()) == WRITERS * UPDATES


def test_of_twenty_adds_under_one_id_all_get_the_same_task(engine: Engine) -> None:
    tasks, _ = _services(engine)
    command = commands.AddTask(station_id="S001", task_name="demo.work", input="{}", user_task_id="mine")

    with ThreadPoolExecutor(20) as threads:
        outcomes = _all_at_once(threads, 20, lambda _: tasks.add_task(command).task_id)

    assert len(set(outcomes)) == 1
