"""Asking a real supervisord."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.ops.supervisors import Supervisor, SupervisorAway
from tests.support.processes import Proc
from tests.support.waiting import wait_for

CONFIG = """
[supervisord]
nodaemon=true
pidfile={folder}/supervisord.pid
logfile={folder}/supervisord.log
childlogdir={folder}
[unix_http_server]
file={folder}/s.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[include]
files = {folder}/programs/*.conf
"""
PROGRAM = """
[program:{name}]
command={python} -c "import time; time.sleep(600)"
numprocs={count}
process_name=%(program_name)s_%(process_num)02d
autostart={autostart}
startsecs=0
"""

Put = Callable[..., None]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Return what writes a program's file."""

    def write(name: str, count: int = 1, autostart: bool = False) -> None:
        values = {"name": name, "count": count, "autostart": str(autostart).lower(), "python": sys.executable}
        (tmp_path / "programs").mkdir(exist_ok=True)
        (tmp_path / "programs" / f"{name}.conf").write_text(PROGRAM.format(**values))

    return write


@pytest.fixture
def supervisor(tmp_path: Path, put: Put) -> Iterator[Supervisor]:
    """A supervisord with two groups that don't run."""
    put("one", 2)
    put("two")
    config = tmp_path / "s.conf"
    config.write_text(CONFIG.format(folder=tmp_path))
    server = Proc("supervisord", [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)], tmp_path)
    client = Supervisor(str(tmp_path / "s.sock"))
    wait_for(lambda: client.programs() is not None, 20, "supervisord", not_yet=SupervisorAway)
    yield client
    for group in ("one", "two", "three"):
        if client.programs(group):
            client.stop_group(group)
    server.stop()


def test_a_group_is_started_and_stopped(supervisor: Supervisor) -> None:
    supervisor.start_group("one")
    wait_for(lambda: len(supervisor.running("one")) == 2, 10, "two processes")
    others = supervisor.running("two")

    supervisor.stop_group("one")

    assert (others, supervisor.running("one")) == ([], [])
    assert [program.name for program in supervisor.programs("one")] == ["one_00", "one_01"]


def test_new_files_are_taken_up(supervisor: Supervisor, put: Put) -> None:
    put("three", 3)

    changed = supervisor.update()

    assert changed == []
    assert len(supervisor.programs("three")) == 3


def test_a_changed_group_that_runs_goes_on_and_is_named(supervisor: Supervisor, put: Put) -> None:
    supervisor.start_group("one")
    wait_for(lambda: len(supervisor.running("one")) == 2, 10, "two processes")
    pids = [program.pid for program in supervisor.running("one")]
    put("one", 3)
    put("two", 4)

    changed = supervisor.update()

    assert changed == ["one"]
    assert [program.pid for program in supervisor.running("one")] == pids
    assert len(supervisor.programs("two")) == 4, "what does not run is changed at once"


def test_what_it_has_not_is_said_in_a_sentence(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(SupervisorAway, match="no group nine"):
        supervisor.start_group("nine")
    with pytest.raises(SupervisorAway, match="does not answer"):
        Supervisor(str(tmp_path / "no.sock")).programs()
