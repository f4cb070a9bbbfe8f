"""Releases at noon: workers released grey by the command, every process restarted, tasks coming all the while."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared.ops.env_file import read_env
from shared.task_api.models import TaskStatus
from tests.conftest import MARIADB, RABBITMQ
from tests.support import mariadb, rabbitmq
from tests.support.cluster import ROOT
from tests.support.databases import MariaDbDatabases
from tests.support.import_jobs import orders_of
from tests.support.mixed_load import ROWS, MixedLoad
from tests.support.processes import Proc
from tests.support.supervised import SupervisedHost
from tests.support.waiting import wait_for

TASKS = 500
BAD_TASK = "tests.support.task_functions.fail_in_a_bad_release"
QUICK = ["--watch", "4", "--min-ended", "5", "--drain", "10", "--start-within", "60", "--share", "30,70"]

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupervisedHost]:
    """A host on MariaDB and RabbitMQ, two workers of version 1 in slot a."""
    MARIADB.need()
    RABBITMQ.need()
    folder = tmp_path_factory.mktemp("h")
    with ExitStack() as ends:
        database = mariadb.start_server(folder)
        ends.callback(database.stop)
        broker = rabbitmq.RabbitMq(folder / "broker")
        ends.callback(broker.stop)
        # Nothing is killed here, and the task service is away for seconds while it is restarted.
        lease = {"GM_LEASE_SECONDS": "20"}
        running = SupervisedHost(
            folder, workers=2, demo_orders=True, databases=MariaDbDatabases(database), broker=broker, **lease
        )
        yield ends.enter_context(running)


@pytest.fixture(scope="module")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of a release in a folder of its own, as operators unpack it."""
    home = tmp_path_factory.mktemp("release")
    for room in ("shared", "gm_task", "gm_service", "tests"):
        shutil.copytree(ROOT / room, home / room, ignore=shutil.ignore_patterns("__pycache__", "golden"))
    return home


def _gm(host: SupervisedHost, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `gm ops` on the host."""
    command = [sys.executable, "-m", "shared.ops", "ops", *arguments, "--etc", str(host.etc)]
    environment = {"PATH": os.environ["PATH"], "COLUMNS": "200"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)


def _release(host: SupervisedHost, version: str, home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return _gm(host, "release", version, "--home", str(home), "--python", sys.executable, *QUICK, *options)


def _slots(host: SupervisedHost) -> dict[str, str | None]:
    return {slot: read_env(host.etc / f"slot-{slot}.env").get("GM_RELEASE") for slot in ("a", "b")}


def _run_bad_tasks(host: SupervisedHost, count: int) -> list[int]:
    return [host.submit_named(BAD_TASK, repeat=True) for _ in range(count)]


def test_a_release_and_restarts_under_load_fail_no_task_and_run_none_twice(
    host: SupervisedHost, new_home: Path
) -> None:
    with MixedLoad(host, at_most=3 * TASKS, pause_seconds=0.06) as load:
        load.wait_until(20)
        released = _release(host, "2", new_home)
        for program in ("gm_async_task", "keeper", "gm_service-a", "workers-b:*"):
            host.control("restart", program)
        load.wait_until(TASKS)
    ended = [host.ended(task_id, 120) for task_id in load.everything()]
    effects = [int(line) for line in host.effects.read_text().split()]
    ran = {worker.version for worker in host.workers.list() if worker.state == "live"}

    assert released.returncode == 0, released.stdout + released.stderr + host.logs()[-3000:]
    assert "2 is live." in released.stdout
    assert (_slots(host), ran) == ({"a": None, "b": "2"}, {"2"})
    assert load.problems == []
    assert {task.status for task in ended} == {TaskStatus.FINISHED}
    assert {task_id: effects.count(task_id) for task_id in load.once} == dict.fromkeys(load.once, 1)
    assert {task.run_count for task in ended if task.task_id in load.once} == {1}
    assert all(orders_of(host, task_id) == [(row, 1) for row in range(ROWS)] for task_id in load.imports)


def test_a_version_that_fails_goes_back_by_itself(host: SupervisedHost, new_home: Path) -> None:
    before = _slots(host)
    command = [sys.executable, "-m", "shared.ops", "ops", "release", "3", "--home", str(new_home)]
    options = ["--python", sys.executable, *QUICK, "--set", "BAD_RELEASE=1", "--watch", "60", "--etc", str(host.etc)]
    release = Proc("release", [*command, *options], host.folder, {"PATH": os.environ["PATH"]}, cwd=ROOT)
    wait_for(lambda: "gets 30 % of the new tasks" in release.text(), 60, "the first share")

    submitted: list[int] = []

    def feed() -> bool:
        submitted.extend(_run_bad_tasks(host, 5))
        return release.process.poll() is not None

    wait_for(feed, 60, "the end of the release")
    ended = [host.ended(task_id) for task_id in submitted]
    after = [host.ended(task_id) for task_id in _run_bad_tasks(host, 10)]
    failed = [task for task in ended if task.status is TaskStatus.FAILED]

    assert release.process.returncode == 1, release.text()
    assert "of its" in release.text()
    assert "failed" in release.text()
    assert _slots(host) == before
    assert 3 <= len(failed) < len(ended)
    assert {task.result["release"] for task in after} == {"2"}
    assert host.status("workers-a:worker-a-gm_task_00").state == "STOPPED"


def test_a_version_that_does_not_start_harms_no_task(host: SupervisedHost, new_home: Path) -> None:
    before = _slots(host)

    released = _release(host, "4", new_home, "--set", 'GM_WORKER_QUEUES=["no_such_queue"]', "--start-within", "20")
    ended = [host.ended(task_id) for task_id in _run_bad_tasks(host, 5)]

    assert released.returncode == 1
    # which of the two is seen first depends on how long they live
    assert re.search("do not stay up|did not report", released.stdout)
    assert _slots(host) == before
    assert {task.status for task in ended} == {TaskStatus.FINISHED}


def test_workers_are_listed_and_a_leftover_is_ended_gracefully(host: SupervisedHost) -> None:
    environment = {**host.environment, "GM_RELEASE": "by hand"}
    stray = Proc("stray", [sys.executable, "-m", "gm_task.worker"], host.folder, environment, cwd=ROOT)
    began = host.folder / "began"
    try:
        wait_for(lambda: host.workers.list() and "by hand" in {each.version for each in host.workers.list()}, 30)
        held = host.submit("work_until_told", {"began": str(began)}, repeat=True)
        wait_for(began.exists, 20, "its run")
        wait_for(lambda: any(worker.runs for worker in host.workers.list()), 10, "a worker's report of it")
        listed = json.loads(_gm(host, "workers", "--json").stdout)
        pruned = _gm(host, "workers", "--prune")
    finally:
        stray.stop()
    explained = _gm(host, "why", str(held)).stdout
    host.tasks.close(held)

    assert {row["pid"]: row["left_over"] for row in listed if row["left_over"]} == {
        stray.pid: "supervisor does not know it"
    }
    assert {row["version"] for row in listed} == {"2", "by hand"}
    assert [run["task_id"] for row in listed for run in row["runs"]] == [held]
    assert "ended 1 of 1" in pruned.stdout, pruned
    assert stray.process.returncode == 0
    assert f"task {held} (tests.support.task_functions.work_until_told) is running" in explained
    assert "died" not in explained, "a run that is handed back burns no attempt"


def test_commands_say_in_a_sentence_what_is_wrong(host: SupervisedHost, new_home: Path, tmp_path: Path) -> None:
    said = {
        "what runs": _release(host, "2", new_home),
        "holds no release": _release(host, "5", tmp_path),
        "No release is under way": _gm(host, "release", "--back"),
        "no such task": _gm(host, "why", "999999"),
        "Name the VERSION": _gm(host, "release"),
        "could be followed": _release(host, "5", new_home, "--follow"),
    }

    assert {words: words in answer.stderr for words, answer in said.items()} == dict.fromkeys(said, True)
    assert {answer.returncode for answer in said.values()} <= {1, 2}
