"""Counting: labels are bounded, what goes wrong harms nobody, files of processes that are gone are folded."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from shared.metrics import folder, table
from shared.metrics.exposition import Exposition, Reading
from shared.metrics.meters import Meters

CHILD = """
import os, sys
from shared.metrics import folder, table
from shared.metrics.exposition import Exposition
from shared.metrics.meters import Meters
made = folder.open_folder("keeper")
meters = Meters("keeper")
meters.count(table.SWEEPER, 2, action="rung")
pids = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        meters.count(table.SWEEPER, 10, action="rung")
        meters.observe(table.RUN_SECONDS_OF_TASKS, 7, task_name="a", status="failed")
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
(made / "counter_999999999.db").touch()
(made / "histogram_999999998.db").write_bytes(b"\\xff" * 5000)
for _ in range(2):
    sys.stdout.write(Exposition(meters, "r1").text().decode())
names = sorted(file.name for file in made.glob("*.db") if str(os.getpid()) not in file.name)
sys.stdout.write("FILES " + " ".join(names))
"""


def _text(meters: Meters, *readings: Reading) -> str:
    return Exposition(meters, "r1", lambda: readings).text().decode()


def test_callers_can_not_fill_prometheus_with_names() -> None:
    meters = Meters(table.ASYNC_TASK)

    for number in range(table.MOST_VALUES + 20):
        meters.count(table.TASKS_ADDED, queue=f"q{number}")
    meters.count(table.TASKS_ADDED, queue="q0")

    lines = [line for line in _text(meters).splitlines() if line.startswith("gm_tasks_added_total{")]
    assert len(lines) == table.MOST_VALUES + 1
    assert 'gm_tasks_added_total{queue="other"} 20.0' in lines
    assert 'gm_tasks_added_total{queue="q0"} 2.0' in lines


def test_closed_sets_begin_at_zero() -> None:
    assert 'gm_sweeper_total{action="ended"} 0.0' in _text(Meters(table.KEEPER))


def test_readings_and_build_are_shown() -> None:
    text = _text(Meters(table.KEEPER), Reading(table.SWEEP_AGE_SECONDS, 2.5))

    assert 'gm_build_info{service="keeper",version="r1"} 1.0' in text
    assert "gm_sweep_age_seconds 2.5" in text


def test_a_services_meters_know_its_metrics_alone() -> None:
    assert "gm_sweeper_total" not in _text(Meters(table.SERVICE))


def test_counts_of_killed_processes_are_kept_and_their_files_folded(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        env={**os.environ, folder.BELOW: str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.count('gm_sweeper_total{action="rung"} 32.0') == 2
    assert done.stdout.count('gm_task_run_seconds_bucket{le="5.0",status="failed",task_name="a"} 0.0') == 2
    assert done.stdout.count('gm_task_run_seconds_count{status="failed",task_name="a"} 3.0') == 2
    assert done.stdout.rpartition("FILES ")[2].split() == ["counter_0.db", "counter_999999999.db", "histogram_0.db"]
    assert list(tmp_path.iterdir()) == []


def test_full_disk_ends_the_counting_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(folder.VARIABLE, str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        files = folder.OwnFiles()
        are_there = files.are_there()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert not are_there


def test_folders_of_trees_that_are_gone_are_removed(tmp_path: Path) -> None:
    gone, young, held = (tmp_path / f"{folder.PREFIX}{name}" for name in ("gone", "young", "held"))
    for each in (gone, young, held):
        each.mkdir()
        (each / "owner").write_text("1")
    (tmp_path / "other").mkdir()
    for each in (gone, held, tmp_path / "other"):
        os.utime(each, (1, 1))
    script = (
        "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(held / "owner")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    holder.stdout.readline()

    folder.remove_left(tmp_path)
    holder.communicate(b"")

    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([young.name, held.name, "other"])
