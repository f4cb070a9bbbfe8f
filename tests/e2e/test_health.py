"""Worker and keeper say whether they make progress: to HTTP, and to a command that needs none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.cluster import ROOT, Cluster
from tests.support.processes import free_port
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(240)
STALL_SECONDS = "3"


class Watched:
    """A platform whose worker and keeper show their health."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def check(self, module: str, *arguments: str) -> tuple[int, str]:
        """Run the command that Docker and supervisor run."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=self.cluster.environment,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return done.returncode, done.stdout

    def is_well(self, module: str, *arguments: str) -> bool:
        return self.check(module, *arguments) == (0, "ok\n")

    def status(self, bind: str, path: str) -> int:
        return requests.get(f"http://{self.cluster.environment[bind]}{path}", timeout=3).status_code


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    with Cluster(
        folder,
        GM_WORKER_BIND=f"127.0.0.1:{free_port()}",
        GM_KEEPER_BIND=f"127.0.0.1:{free_port()}",
        GM_WORKER_HEALTH_FILE=str(folder / "worker.health"),
        GM_KEEPER_HEALTH_FILE=str(folder / "keeper.health"),
        GM_WORKER_STALL_SECONDS=STALL_SECONDS,
        GM_LEASE_SECONDS="60",
    ) as cluster:
        place = Watched(cluster)
        wait_for(lambda: place.is_well("gm_task.health", "--ready"), 30, "a ready worker")
        wait_for(lambda: place.is_well("gm_async_task.health", "--ready"), 30, "a ready keeper")
        yield place


def test_both_are_well_and_ready(watched: Watched) -> None:
    for bind in ("GM_WORKER_BIND", "GM_KEEPER_BIND"):
        assert [watched.status(bind, path) for path in ("/healthz", "/readyz", "/nothing")] == [200, 200, 404]


@pytest.mark.parametrize(("program", "module"), [("gm_task", "gm_task.health"), ("keeper", "gm_async_task.health")])
def test_frozen_process_is_sick_and_recovers(watched: Watched, program: str, module: str) -> None:
    process = watched.cluster.processes[program]
    process.send(signal.SIGSTOP)
    try:
        wait_for(lambda: watched.check(module)[0] == 1, 30, "a sick process")
        said = watched.check(module)[1]
    finally:
        process.send(signal.SIGCONT)

    assert "stands still" in said
    wait_for(lambda: watched.is_well(module, "--ready"), 15, "its recovery")


def test_frozen_child_in_a_run_makes_the_worker_sick(watched: Watched) -> None:
    began = watched.cluster.folder / "frozen"
    task_id = watched.cluster.submit("work_until_told", {"began": str(began)})
    child = int(wait_for(lambda: began.exists() and began.read_text(), 30, "a run"))
    os.kill(child, signal.SIGSTOP)
    try:
        wait_for(lambda: watched.status("GM_WORKER_BIND", "/healthz") == 503, 30, "a sick worker")
        wait_for(lambda: watched.check("gm_task.health")[0], 5, "the file that says so")
        said = watched.check("gm_task.health")[1]
    finally:
        os.kill(child, signal.SIGCONT)
        watched.cluster.tasks.close(task_id)

    assert said.startswith(f"Child {child} has stood still in a run")
    wait_for(lambda: watched.is_well("gm_task.health"), 15, "its recovery")
    watched.cluster.ended(task_id)


def test_silent_run_and_idle_children_are_well(watched: Watched) -> None:
    path = watched.cluster.folder / "go"
    task_id = watched.cluster.submit("wait_for_file", {"path": str(path)})
    seen = {"oldest": 0.0}

    def is_older_than_the_stall() -> bool:
        text = requests.get(f"http://{watched.cluster.environment['GM_WORKER_BIND']}/metrics", timeout=3).text
        line = next(line for line in text.splitlines() if line.startswith("gm_worker_oldest_run_seconds "))
        seen["oldest"] = float(line.split()[1])
        return seen["oldest"] > float(STALL_SECONDS) + 2

    wait_for(is_older_than_the_stall, 30, "a long silence")
    well = watched.is_well("gm_task.health", "--ready")
    path.touch()

    assert well
    watched.cluster.ended(task_id)


def test_keeper_without_its_database_lives_and_is_not_ready(watched: Watched, tmp_path: Path) -> None:
    file = tmp_path / "lonely.health"
    watched.cluster.own_environment["keeper"] = {
        "GM_ASYNC_TASK_DATABASE_URL": "mysql+pymysql://nobody:secretword@127.0.0.1:1/none",
        "GM_KEEPER_HEALTH_FILE": str(file),
    }
    watched.cluster.processes["keeper"].stop()
    watched.cluster.start("keeper")
    wait_for(file.exists, 30, "its health file")

    live, ready = (
        watched.check("gm_async_task.health", str(file)),
        watched.check("gm_async_task.health", "--ready", str(file)),
    )
    statuses = [watched.status("GM_KEEPER_BIND", path) for path in ("/healthz", "/readyz")]
    watched.cluster.processes["keeper"].stop()
    watched.cluster.own_environment.clear()
    watched.cluster.start("keeper")

    assert (live, ready[0], statuses) == ((0, "ok\n"), 1, [200, 503])
    assert "No sweep has succeeded yet" in ready[1]
    wait_for(lambda: watched.is_well("gm_async_task.health", "--ready"), 30, "the keeper")


def test_worker_without_its_broker_lives_and_is_not_ready(watched: Watched) -> None:
    watched.cluster.own_environment["gm_task"] = {"GM_BROKER_URL": "amqp://guest:guest@127.0.0.1:1//"}
    watched.cluster.processes["gm_task"].stop()
    watched.cluster.start("gm_task")
    wait_for(lambda: watched.check("gm_task.health")[0] == 0, 30, "its health file")
    said = wait_for(lambda: watched.check("gm_task.health", "--ready")[1], 5)
    log = watched.cluster.processes["gm_task"].log
    tries = log.read_text().count("broker_away")
    wait_for(lambda: log.read_text().count("broker_away") > tries + 5, 30, "further tries")

    well = watched.check("gm_task.health")
    watched.cluster.processes["gm_task"].stop()
    watched.cluster.own_environment.clear()
    watched.cluster.start("gm_task")

    assert (said, well) == ("The broker is away; the worker tries to reach it.\n", (0, "ok\n"))
    wait_for(lambda: watched.is_well("gm_task.health", "--ready"), 30, "the worker")


def test_stopped_process_takes_its_file_away(watched: Watched) -> None:
    for program, module in (("gm_task", "gm_task.health"), ("keeper", "gm_async_task.health")):
        watched.cluster.processes[program].stop()
        assert watched.check(module)[1].startswith("There is no ")
        watched.cluster.start(program)
