"""When a worker and a keeper are healthy, when ready, as rules with the clock moved; and the file that says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gm_async_task.health import LIVE_SECONDS, READY_SECONDS, KeeperPulse
from gm_task.health import Parent
from gm_task.pulse import ChildPulses
from shared import health
from shared.health import Health, HealthFile, check


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _parent(clock: Clock, children: ChildPulses | None = None) -> Parent:
    return Parent(children or ChildPulses(2, clock), stall_seconds=60, clock=clock)


def test_worker_is_sick_when_its_loop_stands_still(clock: Clock) -> None:
    parent = _parent(clock)

    clock.now += 60
    before = parent.judge().sick
    clock.now += 1

    assert (before, parent.judge().sick) == ("", "The worker's event loop has stood still for 61 seconds.")


def test_worker_that_connects_again_and_again_is_not_ready_and_well(clock: Clock) -> None:
    parent = _parent(clock)

    for _ in range(100):
        clock.now += 2
        parent.turn()

    assert (parent.judge().sick, bool(parent.judge().missing)) == ("", True)


@pytest.mark.parametrize(("processes", "is_sick"), [(None, False), (0, True), (1, False)])
def test_worker_without_children_is_sick_once_it_had_them(clock: Clock, processes: int | None, is_sick: bool) -> None:
    parent = _parent(clock)
    parent.processes = processes

    assert bool(parent.judge().sick) is is_sick


def test_child_is_sick_when_the_watch_of_its_run_stands_still(clock: Clock) -> None:
    pulses = ChildPulses(2, clock)
    pulses.take_place(1)
    parent = _parent(clock, pulses)

    with pulses.running():
        clock.now += 59
        pulses.turn()
        clock.now += 59
        parent.turn()
        well, ages = parent.judge().sick, pulses.ages()
        clock.now += 2
        sick = parent.judge().sick

    assert (well, ages, parent.judge().sick) == ("", [118.0], "")
    assert sick == f"Child {os.getpid()} has stood still in a run for 61 seconds."


def test_idle_child_is_well_however_long(clock: Clock) -> None:
    pulses = ChildPulses(1, clock)
    pulses.take_place(0)
    clock.now += 10**6
    pulses.turn()

    assert (list(pulses.stalled(60)), pulses.ages()) == ([], [])


def test_child_that_takes_a_dead_ones_place_runs_nothing(clock: Clock) -> None:
    pulses = ChildPulses(1, clock)
    pulses.take_place(0)
    with pulses.running():
        pulses.take_place(0)

        assert pulses.ages() == []


def test_keeper_whose_sweeps_fail_lives_and_is_not_ready(clock: Clock) -> None:
    pulse = KeeperPulse(1, clock)
    pulse.swept(succeeded=True)
    ready = pulse.judge()
    for _ in range(10):
        clock.now += READY_SECONDS / 9
        pulse.swept(succeeded=False)

    assert (ready, pulse.judge().sick, bool(pulse.judge().missing)) == (Health(), "", True)


def test_keeper_that_hangs_is_sick(clock: Clock) -> None:
    pulse = KeeperPulse(1, clock)
    clock.now += LIVE_SECONDS + 1

    assert pulse.judge().sick == "The keeper's loop has stood still for 121 seconds."


def test_keeper_with_long_pauses_is_given_ten_of_them(clock: Clock) -> None:
    pulse = KeeperPulse(60, clock)
    pulse.swept(succeeded=True)
    clock.now += 599

    assert pulse.judge() == Health()


def test_file_says_what_was_judged(tmp_path: Path) -> None:
    file, told = tmp_path / "health", [Health()]
    writer = HealthFile(file, lambda: told[0])

    writer.write()
    well = check(file, ready=True)
    told[0] = Health(missing="The broker is away.")
    writer.write()
    live, ready = check(file), check(file, ready=True)
    told[0] = Health(sick="It hangs.")
    writer.write()

    assert (well, live, ready, check(file)) == ("", "", "The broker is away.", "It hangs.")


def test_time_stamp_of_the_file_is_the_last_healthy_moment(tmp_path: Path) -> None:
    file, told = tmp_path / "health", [Health()]
    writer = HealthFile(file, lambda: told[0])
    writer.write()
    os.utime(file, (1000, 1000))

    told[0] = Health(sick="It hangs.")
    writer.write()
    sick = file.stat().st_mtime
    told[0] = Health()
    writer.write()

    assert (sick, file.stat().st_mtime > 1000) == (1000, True)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"seen": "x"}', "\x00", '{"seen": 1e999, "stale_seconds": 1, "sick": "", "missing": ""}'],
)
def test_file_that_is_no_health_file_is_bad(tmp_path: Path, content: str) -> None:
    file = tmp_path / "health"
    file.write_text(content)

    assert check(file)


@pytest.mark.parametrize(("age", "is_bad"), [(0, False), (9, False), (11, True), (-1000, True)])
def test_old_file_is_bad(tmp_path: Path, age: float, is_bad: bool) -> None:
    file = tmp_path / "health"
    HealthFile(file, Health).write()
    told = json.loads(file.read_text())
    file.write_text(json.dumps({**told, "seen": time.monotonic() - age}))

    assert bool(check(file)) is is_bad


@pytest.mark.parametrize("module", ["gm_task.health", "gm_async_task.health"])
def test_command_loads_nothing_but_the_standard_library(module: str) -> None:
    script = f"import sys, {module}; print({{'celery', 'pydantic', 'structlog', 'sqlalchemy'}} & set(sys.modules))"

    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "set()\n"
    )


def test_command_says_what_it_needs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GM_WORKER_HEALTH_FILE", raising=False)

    assert health.main("GM_WORKER_HEALTH_FILE", []) == 2
    assert "set GM_WORKER_HEALTH_FILE" in capsys.readouterr().err
