"""What somebody who waits is told of when the task starts, on each kind of database that this machine has."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from shared.database import DatabaseClock
from shared.task_api.client import TaskClient
from tests.support.async_task import AppTransport, make_database, make_service
from tests.support.import_jobs import add_waiting_tasks


@pytest.fixture(params=["sqlite", "mariadb"])
def tasks_url(request: pytest.FixtureRequest, make_database_url: Callable[[str], str]) -> str:
    return make_database_url(request.param)


@pytest.fixture
def tasks(tasks_url: str) -> Iterator[TaskClient]:
    engine = make_database(tasks_url)
    yield TaskClient(AppTransport(make_service(engine, DatabaseClock())))
    engine.dispose()


def _add(tasks: TaskClient, count: int) -> list[int]:
    return [tasks.create("S001", "demo.work", "{}", queue="q").task_id for _ in range(count)]


def _foretold(tasks: TaskClient) -> list[int | None]:
    listed = tasks.list("S001", status=1, with_waiting=True)
    return [task.starts_in_seconds for task in reversed(listed)]


def test_nothing_is_foretold_where_nothing_was_started(tasks: TaskClient) -> None:
    _add(tasks, 2)

    assert _foretold(tasks) == [None, None]


def test_start_is_foretold_by_the_pace_of_late(tasks: TaskClient) -> None:
    for task_id in _add(tasks, 4):
        tasks.start(task_id)
    _add(tasks, 2)

    first, second = _foretold(tasks)

    assert first is not None
    assert second is not None
    assert 0 <= first <= second <= 30


def test_no_place_is_told_that_was_not_counted(tasks: TaskClient, tasks_url: str) -> None:
    for task_id in _add(tasks, 4):
        tasks.start(task_id)
    add_waiting_tasks(tasks_url, 999, "q")
    last_counted, beyond = _add(tasks, 2)

    told = {task.task_id: task for task in tasks.list("S001", status=1, with_waiting=True, limit=2)}

    assert (told[last_counted].ahead, told[beyond].ahead) == (999, None)
    assert (told[last_counted].starts_in_seconds is None, told[beyond].starts_in_seconds) == (False, None)
