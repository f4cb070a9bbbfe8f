"""S-c: places inside the result give the same answer on every database, and never make the result null."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest

from gm_async_task.tasks.runs import RunService
from gm_async_task.tasks.service import TaskService
from shared.database import DatabaseClock
from shared.errors import InvalidPath
from shared.task_api import commands
from shared.task_api.result_path import put
from tests.support.async_task import make_database, make_settings

PIECES = [
    ".a",
    ".b",
    '."x y"',
    '."__proto__"',
    "[0]",
    "[1]",
    "[2]",
    "[9]",
    "[*]",
    "[last]",
    "[-1]",
    "**",
    ".",
    '."',
    "'",
]
DOCUMENTS = [
    {},
    [],
    {"a": 1},
    {"a": {"b": [1, 2]}, "b": [{"a": None}]},
    [[0, 1], {"a": {"a": "订单"}}],
    {"x y": {"__proto__": [1.5, "1e0", True]}},
]
PATHS = 300


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_paths_do_the_same_on_every_database(kind: str, make_database_url: Callable[[str], str]) -> None:
    engine = make_database(make_database_url(kind))
    settings, clock = make_settings(), DatabaseClock()
    tasks, runs = TaskService(engine, settings, clock), RunService(engine, settings, clock)
    task_id = tasks.add_task(commands.AddTask(station_id="S001", task_name="demo.work", input="{}")).task_id
    runs.start_task(commands.StartTask(task_id=task_id))
    chance = random.Random(20261121)

    for number in range(PATHS):
        document = chance.choice(DOCUMENTS)
        path = "$" + "".join(chance.choices(PIECES, k=chance.randint(1, 4)))
        runs.update_task(commands.UpdateTask(task_id=task_id, field="result", value=document))

        expected = _expected(document, path, number)
        _try_update(runs, task_id, path, number)

        assert tasks.get_task(commands.GetTask(task_id=task_id)).result == expected, path
    engine.dispose()


def _expected(document: object, path: str, value: int) -> object:
    try:
        return put(document, path, value)
    except InvalidPath:
        return document


def _try_update(runs: RunService, task_id: int, path: str, value: int) -> None:
    with contextlib.suppress(InvalidPath):
        runs.update_task(commands.UpdateTask(task_id=task_id, field="result", postion=path, value=value))
