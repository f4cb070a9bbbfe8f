"""R10: a 1,000-row import, one of its processes killed at thirty random points; every row is done exactly once."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator

import pytest

from tests.support.cluster import Cluster
from tests.support.import_jobs import ENDS, ended_import, orders_of, slow_rows, submit_import
from tests.support.waiting import wait_for

POINTS = 30
ROWS = 1000
SEED = int(os.environ.get("GM_CHAOS_SEED", "20261121"))
TARGETS = ("gm_task", "child", "gm_service", "gm_async_task", "keeper")

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("platform"), demo_orders=True) as cluster:
        yield cluster


def kill(platform: Cluster, target: str) -> None:
    """Kill one process, or a child of the worker, and start again what nobody else would."""
    if target == "child":
        for pid in platform.worker_children():
            os.kill(pid, signal.SIGKILL)
        return
    platform.processes[target].kill()
    platform.start(target)


def test_import_killed_at_thirty_points_creates_every_order_once(platform: Cluster) -> None:
    print(f"seed {SEED}")  # noqa: T201 to run it again
    chance = random.Random(SEED)
    hits = 0
    for point in range(POINTS):
        target, threshold = chance.choice(TARGETS), chance.randrange(1, 650)
        task_id = submit_import(platform.first, f"point-{point}", slow_rows(ROWS, f"point{point}-"))
        wait_for(lambda task=task_id, least=threshold: len(orders_of(platform, task)) >= least, 60, "some orders")

        hits += platform.tasks.get(task_id).status not in ENDS
        kill(platform, target)
        platform.wait_ready()
        ended = ended_import(platform.first, task_id, 120)

        result = ended["result"]
        assert (ended["status"], result["created"], result["failed"]) == (4, 900, 100), (SEED, point, target)
        states = [(row["index"], row["state"]) for row in result["rows"]]
        assert states == [(index, "failed" if index % 10 == 9 else "created") for index in range(ROWS)]
        assert orders_of(platform, task_id) == [(index, 1) for index in range(ROWS) if index % 10 != 9]
    assert hits >= POINTS * 2 // 3, "most kills must meet an import that runs"
