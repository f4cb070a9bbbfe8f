"""Random graphs of jobs whose handlers write down that they ran, and what must be true of what they wrote."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tests.support.job_client import task


def random_graph(chance: random.Random, most: int, path: Path, *, seconds: float = 0.0) -> list[dict[str, Any]]:
    """Return up to `most` tasks that each write a line to `path`, in an order in which they can be added."""
    return [
        task(
            f"t{number}",
            "/tries/note",
            *(f"t{each}" for each in sorted(chance.sample(range(number), min(number, chance.randint(0, 3))))),
            params={"path": str(path), "seconds": seconds},
        )
        for number in range(chance.randint(2, most))
    ]


def assert_each_node_ran_in_order(rows: dict[str, dict[str, Any]], lines: list[str]) -> None:
    """Hold what handlers wrote ("task_id attempt ...") against the job's tasks by label.

    Each attempt of each task ran at most once, each task at least once, and no task before those that it depends on.
    """
    runs = [tuple(line.split()[:2]) for line in lines]
    assert len(set(runs)) == len(runs), runs
    order = [task_id for task_id, _ in runs]
    first = {label: order.index(str(row["task_id"])) for label, row in rows.items()}
    for label, row in rows.items():
        assert all(first[each] < first[label] for each in row["task_dependencies"].split(",") if each), (label, runs)
