"""Workflow jobs while what moves them is killed: workers, and gm_async_task between any two steps."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.support.cluster import Cluster
from tests.support.job_client import JOB_SETTINGS, JobClient, task
from tests.support.job_graphs import assert_each_node_ran_in_order, random_graph
from tests.support.waiting import wait_for

DYING = ["-m", "gunicorn", "-c", "gm_async_task/gunicorn.conf.py", "tests.support.dying_service:app"]
KINDS = ("embedded", "rabbitmq")
"""one of each database; what a broker's death does is asked of all three in test_jobs.py"""
STEPS = {
    **{"before_commit": 3, "before_ring": 3, "after_ring": 3},
    **{"after_claim": 2, "before_notice": 2, "after_notice": 2},
}
"""steps of tests/support/dying_service.py, and how often a job of two tasks passes each"""
NOBODY_WAITS_LONGER = 45.0
"""seconds from a death to the end of a job that it met: a lease and a notice's claim are far below"""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module", params=KINDS)
def platform(request: pytest.FixtureRequest, make_platform: Callable[..., Cluster]) -> Cluster:
    """One platform of each kind, whose gm_async_task dies at the step that a test arms."""
    platform = make_platform(request.param, **JOB_SETTINGS)
    platform.processes["gm_async_task"].kill()
    armed = platform.folder / "deaths"
    armed.mkdir()
    platform.own_environment["gm_async_task"] = {"GM_DEATHS": str(armed)}
    platform.start("gm_async_task", [sys.executable, *DYING])
    platform.wait_ready()
    return platform


@pytest.fixture
def jobs(platform: Cluster) -> JobClient:
    """A holder of the service key."""
    return JobClient.of(platform)


def lines(path: Path) -> list[str]:
    """Return what handlers wrote."""
    return path.read_text().splitlines() if path.exists() else []


def create_patiently(jobs: JobClient, name: str, *tasks: dict[str, object], **extra: object) -> int:
    """Create a job as a caller does whose connection may break: again under the same name."""
    given = {"job_namespace": "S001", "job_type": "graph", "job_name": name}

    def create() -> int:
        answer = jobs.ask("create_job", **given, job_extra={"tasks": list(tasks), **extra})
        if answer.json()["stat"] == "ERR_JOB_EXIST":
            answer = jobs.ask("get_job_detail", job_name=name)
            return int(answer.json()["data"]["job_id"])
        return int(answer.json()["job_id"])

    return wait_for(create, 30, f"job {name}", not_yet=(requests.RequestException, KeyError))


@pytest.mark.parametrize("step", STEPS)
def test_a_service_that_dies_between_two_steps_runs_each_handler_once(
    platform: Cluster, jobs: JobClient, tmp_path: Path, step: str
) -> None:
    armed = platform.folder / "deaths" / step
    for passes in range(STEPS[step]):
        armed.write_text(str(passes))
        # Now and then the keeper is quicker with a notice, and nobody dies.
        for attempt in range(5):
            name = f"{step}-{passes}-{attempt}"
            run_two_tasks(jobs, name, tmp_path / name)
            if not armed.exists():
                break
        assert not armed.exists(), f"{step} was not passed"


def run_two_tasks(jobs: JobClient, name: str, folder: Path) -> None:
    """Run a job of two tasks; see that each ran once, and that its plugin was told of start and end."""
    folder.mkdir()
    noted, told = folder / "noted", folder / "told"
    note = {"path": str(noted)}
    chain = [task("a", "/tries/note", params=note), task("b", "/tries/note", "a", params=note)]

    job_id = create_patiently(jobs, name, *chain, notify=str(told))
    end = f"{job_id} finished OK"
    wait_for(lambda: end in lines(told), NOBODY_WAITS_LONGER, f"the end of {name}")

    assert [line.split()[1] for line in lines(noted)] == ["1", "1"], (name, lines(noted))
    assert list(dict.fromkeys(lines(told))) == [f"{job_id} started ", end]


def test_a_killed_worker_runs_the_task_again_as_the_next_attempt_alone(
    platform: Cluster, jobs: JobClient, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    job_id = jobs.create_graph(
        task("before", "/tries/note", params={"path": str(tmp_path / "before")}),
        task("a", "/tries/note_and_wait", "before", params={"path": str(tmp_path / "a"), "gate": str(gate)}),
    )
    wait_for(lambda: lines(tmp_path / "a"), 20, "the first attempt")

    platform.processes["gm_task"].kill()
    platform.start("gm_task")
    wait_for(lambda: len(lines(tmp_path / "a")) == 2, 30, "the second attempt")
    gate.touch()

    assert jobs.ended(job_id)["ret_stat"] == "OK"
    assert [line.split()[1] for line in lines(tmp_path / "a")] == ["1", "2"]
    assert len(lines(tmp_path / "before")) == 1


def test_a_handler_whose_process_dies_runs_again_as_another_attempt(jobs: JobClient, tmp_path: Path) -> None:
    job_id = jobs.create_graph(task("a", "/tries/die_once", params={"path": str(tmp_path / "a")}))

    assert jobs.ended(job_id)["ret_stat"] == "OK"
    assert [line.split()[1] for line in lines(tmp_path / "a")] == ["1", "2"]


def test_a_job_over_its_time_fails_while_no_worker_is_alive(platform: Cluster, jobs: JobClient) -> None:
    platform.processes["gm_task"].kill()
    job_id = jobs.create("ping", job_timeout=1)

    ended = jobs.ended(job_id, 15)
    platform.start("gm_task")

    assert (ended["job_status"], ended["ret_stat"]) == ("failed", "ERR_JOB_EXE_TIMEOUT")
    assert jobs.call("retry_job", job_id=job_id)["stat"] == "OK"


def test_graphs_under_killed_workers_do_every_node_once_and_in_order(
    platform: Cluster, jobs: JobClient, tmp_path: Path
) -> None:
    """R18 in small."""
    chance = random.Random(18)
    created = {}
    for number in range(8):
        path = tmp_path / f"job-{number}"
        created[jobs.create_graph(*random_graph(chance, 8, path, seconds=0.05))] = path
    for kills in range(3):
        wait_for(lambda kills=kills: sum(len(lines(path)) for path in created.values()) > 4 * kills, 60, "progress")
        platform.processes["gm_task"].kill()
        platform.start("gm_task")

    assert {jobs.ended(job_id, 120)["ret_stat"] for job_id in created} == {"OK"}
    for job_id, path in created.items():
        assert_each_node_ran_in_order(jobs.tasks(job_id), lines(path))
