"""S-c: places inside the result give the same answer on every database, and never make the result null."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from gm_async_task.tasks.runs import RunService
from gm_async_task.tasks.service import TaskService
from shared.database import DatabaseClock
from shared.errors import InvalidPath
from shared.task_api import commands
from shared.task_api.result_path import put
from tests.support.async_task import make_database, make_settings

OF_THE_GRAMMAR = [".a", ".b", '."x y"', '."__proto__"', "[0]", "[1]", "[2]", "[9]", ".a.b"]
OF_OTHER_GRAMMARS = ["[*]", "[last]", "[-1]", "**", ".", '."', "'", "[0 to 1]", "[#-1]"]
PIECES = [*OF_THE_GRAMMAR, *OF_OTHER_GRAMMARS]
LEAVES = [None, 1, 1.5, "1e0", "订单", True, [], {}]
NAMES = ["a", "b", "x y", "__proto__"]
DOCUMENTS = 30
PATHS_OF_EACH = 167


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_paths_do_the_same_on_every_database(kind: str, make_database_url: Callable[[str], str]) -> None:
    engine = make_database(make_database_url(kind))
    settings, clock = make_settings(), DatabaseClock()
    tasks, runs = TaskService(engine, settings, clock), RunService(engine, settings, clock)
    task_id = tasks.add_task(commands.AddTask(station_id="S001", task_name="demo.work", input="{}")).task_id
    runs.start_task(commands.StartTask(task_id=task_id))
    chance = random.Random(20261121)

    for _ in range(DOCUMENTS):
        expected = _document(chance, 3)
        runs.update_task(commands.UpdateTask(task_id=task_id, field="result", value=expected))
        for value in range(PATHS_OF_EACH):
            path = "$" + "".join(chance.choices(PIECES, k=chance.randint(1, 4)))
            after = _put(expected, path, value)
            assert _updates(runs, task_id, path, value) == (after is not None), (expected, path)
            expected = expected if after is None else after

        assert tasks.get_task(commands.GetTask(task_id=task_id)).result == expected
    engine.dispose()


def _document(chance: random.Random, depth: int) -> Any:
    if depth == 0:
        return chance.choice(LEAVES)
    inner = [_document(chance, depth - 1) for _ in range(chance.randint(0, 3))]
    return chance.choice([inner, dict(zip(chance.sample(NAMES, len(inner)), inner, strict=True))])


def _put(document: Any, path: str, value: int) -> Any:
    """Return the document after the update, None where the path is refused."""
    try:
        return put(document, path, value)
    except InvalidPath:
        return None


def _updates(runs: RunService, task_id: int, path: str, value: int) -> bool:
    try:
        runs.update_task(commands.UpdateTask(task_id=task_id, field="result", postion=path, value=value))
        return True
    except InvalidPath:
        return False
