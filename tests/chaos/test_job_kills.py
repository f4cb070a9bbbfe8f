"""R18: 200 random graphs of up to 30 tasks while whatever moves them is killed; every node once, none stuck."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.support.cluster import Cluster
from tests.support.job_client import JOB_SETTINGS, JobClient
from tests.support.job_graphs import assert_each_node_ran_in_order, random_graph
from tests.support.waiting import wait_for

JOBS, MOST_TASKS = 200, 30
SEED = int(os.environ.get("GM_CHAOS_SEED", "20261121"))

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module", params=["embedded", "rabbitmq"])
def platform(request: pytest.FixtureRequest, make_platform: Callable[..., Cluster]) -> Cluster:
    """A platform on each kind of database, whose tasks may lose many workers."""
    return make_platform(request.param, GM_MAX_RUNS="50", **JOB_SETTINGS)


def kill_something(platform: Cluster, number: int) -> None:
    """Kill a child of the worker; now and then the whole worker, gm_async_task or the keeper."""
    name = {4: "gm_task", 6: "gm_async_task", 8: "keeper"}.get(number % 9)
    if name is None:
        for pid in platform.worker_children()[:1]:
            os.kill(pid, signal.SIGKILL)
    else:
        platform.processes[name].kill()
        platform.start(name)


def test_graphs_under_killed_workers_lose_nothing_and_keep_their_order(platform: Cluster, tmp_path: Path) -> None:
    print(f"seed {SEED}")  # noqa: T201 to run it again
    chance = random.Random(SEED)
    jobs = JobClient.of(platform)
    created = {}
    for number in range(JOBS):
        path = tmp_path / f"job-{number}"
        created[jobs.create_graph(*random_graph(chance, MOST_TASKS, path), job_timeout=1500)] = path

    def unfinished() -> int:
        return int(jobs.call("list_jobs", job_status="started", page_size=1)["data"]["total"])

    left, kills = JOBS, 0
    while left:
        kill_something(platform, kills)
        kills += 1
        wait_for(lambda before=left: unfinished() < before, 240, "some jobs", not_yet=requests.RequestException)
        left = unfinished()

    print(f"{kills} kills")  # noqa: T201
    assert kills >= 5, "the kills must meet jobs that run"
    for job_id, path in created.items():
        assert jobs.detail(job_id)["ret_stat"] == "OK", (SEED, job_id)
        assert_each_node_ran_in_order(jobs.tasks(job_id), path.read_text().splitlines())
