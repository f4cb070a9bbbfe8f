"""make run and make stop: everything starts from nothing, and exactly what was started is ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from shared.ops.embedded import EMBEDDED
from shared.ops.env_file import read_env
from shared.ops.host import Host
from tests.support.checkout import copy_checkout, find_processes
from tests.support.waiting import wait_for

FOR_SCRIPTS = {
    "GM_SERVICE_URL",
    "GM_ASYNC_TASK_URL",
    "GM_AUTH_KEY",
    "GM_STATION_ID",
    "GM_STATION_TOKEN",
    "GM_STATION2_ID",
    "GM_STATION2_TOKEN",
}

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A copy of what runs, as a stranger's checkout has it."""
    yield copy_checkout(tmp_path)
    Host(tmp_path, EMBEDDED).stop()


def _env(checkout: Path) -> dict[str, str]:
    return read_env(checkout / ".run" / "env")


def _pids(checkout: Path) -> list[int]:
    return find_processes(checkout / ".run")


def _tasks(checkout: Path) -> requests.Response:
    env = _env(checkout)
    headers = {"Authorization": f"Bearer {env['GM_STATION_TOKEN']}"}
    return requests.get(env["GM_SERVICE_URL"] + "/task/list", headers=headers, timeout=5)


def test_run_again_keeps_the_data_and_stop_ends_all_and_nothing_else(checkout: Path) -> None:
    host = Host(checkout, EMBEDDED)
    host.start()
    first, pids = _env(checkout), _pids(checkout)
    answer = _tasks(checkout)
    # A shell that has loaded .run/env, as the README says, and what it started.
    bystander = subprocess.Popen(["sleep", "300"], env={**os.environ, **first})

    Host(checkout, EMBEDDED).start()
    again = _pids(checkout)
    stopped = host.stop()
    survived = bystander.poll() is None
    bystander.kill()
    bystander.wait()

    assert set(first) >= FOR_SCRIPTS
    assert answer.status_code == 200
    assert again == pids, "running already, it starts nothing"
    assert (stopped, _pids(checkout), survived) == (len(pids), [], True)

    host.start()
    assert {name: _env(checkout)[name] for name in FOR_SCRIPTS} == {name: first[name] for name in FOR_SCRIPTS}
    assert _tasks(checkout).status_code == 200


def test_killed_processes_are_started_again_and_a_killed_supervisor_is_replaced(checkout: Path) -> None:
    host = Host(checkout, EMBEDDED)
    host.start()
    supervisor = int((checkout / ".run" / "supervisord.pid").read_text())
    for pid in set(_pids(checkout)) - {supervisor}:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: _tasks(checkout).ok, 60, "an answer", not_yet=requests.RequestException)

    os.kill(supervisor, signal.SIGKILL)
    wait_for(lambda: supervisor not in _pids(checkout), 10, "the end of the supervisor")
    host.start()

    assert int((checkout / ".run" / "supervisord.pid").read_text()) != supervisor
    assert _tasks(checkout).ok
    host.stop()
    assert _pids(checkout) == []
