"""What somebody who waits is told of when the task starts, on each kind of database that this machine has."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from shared.database import DatabaseClock
from shared.task_api.client import TaskClient
from tests.support.async_task import AppTransport, make_database, make_service


@pytest.fixture(params=["sqlite", "mariadb"])
def tasks(request: pytest.FixtureRequest, make_database_url: Callable[[str], str]) -> Iterator[TaskClient]:
    engine = make_database(make_database_url(request.param))
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
