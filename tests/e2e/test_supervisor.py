"""supervisor/ as a host installs it: slots side by side, restarts that take new files, ends in bounded time."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.ops.env_file import read_env, write_env
from shared.task_api.models import TaskStatus
from tests.support.processes import Proc
from tests.support.supervised import SupervisedHost
from tests.support.waiting import wait_for

WORKER_A, WORKER_B = "workers-a:worker-a-gm_task_00", "workers-b:worker-b-gm_task_00"
ODD = "two words, \"double\" and 'single', $HOME `id` \\ 订单 %s"
STOP_SECONDS = 50
"""GM_STOP_GRACE_SECONDS, GM_RETURN_GRACE_SECONDS and 15"""
RESTARTS = 2

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupervisedHost]:
    with SupervisedHost(tmp_path_factory.mktemp("host")) as running:
        running.wait_running(WORKER_A)
        yield running


def _environment(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_text("utf-8").split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


def test_slot_without_a_file_waits_and_says_so_when_it_is_started(host: SupervisedHost) -> None:
    before = [host.status(name).state for name in (WORKER_B, "gm_service-b")]

    host.control("start", WORKER_B)
    said = wait_for(lambda: [line for line in host.logs().splitlines() if "slot-b.env is missing" in line], 10)
    host.control("stop", WORKER_B)

    assert before == ["STOPPED", "STOPPED"]
    assert said[0].startswith("run: ")


def test_restart_takes_new_files_whatever_stands_in_them(host: SupervisedHost) -> None:
    host.write_settings({"GM_ODD": ODD, "GM_RELEASE": "overridden by the slot's"})
    host.write("slot-a", {"GM_RELEASE": "2"})

    host.control("restart", WORKER_A)
    told = _environment(host.wait_running(WORKER_A))

    assert (told["GM_ODD"], told["GM_RELEASE"], told["GM_WORKER_QUEUES"]) == (ODD, "2", '["gm_task"]')
    assert "GM_SERVICE_BIND" not in told


def test_slots_take_over_from_one_another(host: SupervisedHost) -> None:
    host.write("slot-b")
    host.control("start", "workers-b:*")
    host.wait_running(WORKER_B)

    began = time.monotonic()
    host.control("stop", "workers-a:*")
    seconds = time.monotonic() - began
    task = host.ended(host.submit("double", {"n": 4}))
    host.control("start", "workers-a:*")
    host.control("stop", "workers-b:*")

    assert task.status is TaskStatus.FINISHED
    assert seconds < STOP_SECONDS


def test_killed_processes_come_back_and_their_exports_do_not_go_on(host: SupervisedHost) -> None:
    worker, keeper = host.wait_running(WORKER_A), host.wait_running("keeper")
    task_id = host.submit_export(3)
    wait_for(host.living_exports, 20, "an export")

    for pid in (worker, keeper):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not host.living_exports(), 5, "the end of the export")
    again = host.wait_running(WORKER_A), host.wait_running("keeper")
    ended = host.ended(task_id)

    assert not {worker, keeper} & set(again)
    assert (ended.status, ended.run_count) == (TaskStatus.FINISHED, 2)


def test_restarts_under_load_lose_nothing_and_leave_nothing(host: SupervisedHost) -> None:
    """R11 in small; `make chaos` has the long one."""
    exports = [host.submit_export(1) for _ in range(3)]
    once = [host.submit("note_effect", {"seconds": 0.2, "effects": str(host.effects)}) for _ in range(8)]

    for _ in range(RESTARTS):
        wait_for(host.living_exports, 30, "an export")
        began = time.monotonic()
        running = host.living_exports()
        host.control("restart", WORKER_A)
        assert time.monotonic() - began < STOP_SECONDS
        wait_for(lambda running=running: not set(running) & set(host.living_exports()), 2, "the end of the exports")
    ended = [host.ended(task_id) for task_id in [*exports, *once]]
    effects = host.effects_done()

    assert {task.status for task in ended} == {TaskStatus.FINISHED}
    assert {task_id: effects.count(task_id) for task_id in once} == dict.fromkeys(once, 1)


def test_drop_ins_of_debians_supervisor_work_the_same(tmp_path: Path, host: SupervisedHost) -> None:
    """Of ours it has `start`, `run` and a program file in its conf.d; here beside the host's own supervisord."""
    conf_d, var = tmp_path / "conf.d", tmp_path / "var"
    conf_d.mkdir()
    shutil.copy(host.etc / "programs" / "keeper.conf", conf_d)
    etc = shutil.copytree(host.etc, tmp_path / "etc")
    write_env(etc / "supervisor.env", {**read_env(etc / "supervisor.env"), "GM_RUN_DIR": str(var)})
    debians = tmp_path / "supervisord.conf"
    debians.write_text(
        f"[supervisord]\nlogfile={tmp_path}/d.log\npidfile={tmp_path}/d.pid\n[include]\nfiles=conf.d/*.conf\n"
    )

    supervisord = Proc("supervisord", [str(etc / "start"), "-n", "-c", str(debians)], tmp_path)
    try:
        wait_for(lambda: "keeper_started" in (var / "logs" / "keeper.log").read_text(), 20, "it", FileNotFoundError)
    finally:
        code = supervisord.stop()

    assert code == 0, supervisord.text()
