"""R18: 200 random graphs of up to 30 tasks while workers and children are killed; every node once, none stuck."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cluster import Cluster
from tests.support.job_client import JOB_SETTINGS, JobClient, task
from tests.support.waiting import wait_for

JOBS, MOST_TASKS = 200, 30
SEED = int(os.environ.get("GM_CHAOS_SEED", "20261121"))

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("platform"), GM_MAX_RUNS="50", **JOB_SETTINGS) as cluster:
        yield cluster


def random_graph(chance: random.Random, path: Path) -> list[dict[str, object]]:
    """Return tasks that each write a line of their own, in an order in which they can be added."""
    return [
        task(
            f"t{number}",
            "/tries/note",
            *(f"t{each}" for each in sorted(chance.sample(range(number), min(number, chance.randint(0, 3))))),
            params={"path": str(path)},
        )
        for number in range(chance.randint(1, MOST_TASKS))
    ]


def test_graphs_under_killed_workers_lose_nothing_and_keep_their_order(platform: Cluster, tmp_path: Path) -> None:
    print(f"seed {SEED}")  # noqa: T201 to run it again
    chance = random.Random(SEED)
    jobs = JobClient.of(platform)
    created = {}
    for number in range(JOBS):
        graph = random_graph(chance, tmp_path / f"job-{number}")
        created[jobs.create_graph(*graph, job_timeout=1500)] = (tmp_path / f"job-{number}", graph)

    def unfinished() -> int:
        return int(jobs.call("list_jobs", job_status="started", page_size=1)["data"]["total"])

    kills = 0
    while left := unfinished():
        kills += 1
        if kills % 5 == 0:
            platform.processes["gm_task"].kill()
            platform.start("gm_task")
        else:
            for pid in platform.worker_children()[:1]:
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda before=left: unfinished() < before or unfinished() == 0, 240, "some jobs")

    assert kills >= 5, "the kills must meet jobs that run"
    for job_id, (path, graph) in created.items():
        assert jobs.detail(job_id)["ret_stat"] == "OK", (SEED, job_id)
        rows = jobs.tasks(job_id)
        runs = [line.split()[:2] for line in path.read_text().splitlines()]
        # One line an attempt, and one attempt whose end counted: no attempt ran twice.
        assert len({tuple(run) for run in runs}) == len(runs), (SEED, job_id)
        order = [task_id for task_id, _ in runs]
        first = {label: order.index(str(row["task_id"])) for label, row in rows.items()}
        assert len(first) == len(graph)
        for label, row in rows.items():
            assert all(first[each] < first[label] for each in row["task_dependencies"].split(",") if each)
