"""The steps of a release, told by what they ask of supervisor and of the task service."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from shared.ops.release.policy import LaneFigures, Rules
from shared.ops.release.rollout import Plan, Rollout, Seen, Share
from shared.ops.release.slots import Slot, list_slots
from shared.ops.supervisors import Program

GOOD = LaneFigures(started=30, ended=30, failed=0, running=1, start_delay_p95=0.3)
BAD = replace(GOOD, failed=20)
VALUES = {"GM_RELEASE": "2", "GM_HOME": "/srv/gm/2", "GM_PYTHON": "python"}
PLAN = Plan("2", VALUES, [Share(10), Share(50)], Rules(watch_seconds=20, min_ended=10))


@dataclass
class Host:
    """Supervisor, task service and clock of a host on which everything is as it is set here."""

    grey: LaneFigures = GOOD
    state: str = "grey"
    old_runs: list[int] = field(default_factory=lambda: [0])
    """runs of the old version, one for each time it is asked"""
    reports: bool = True
    program_state: str = "RUNNING"
    did: list[str] = field(default_factory=list)
    now: float = 0.0
    at: Callable[[float], None] = lambda _now: None
    """what happens as time passes"""
    at_stop: Callable[[], None] = lambda: None
    """what happens while a group is being stopped"""
    said: list[str] = field(default_factory=list)

    def update(self) -> list[str]:
        return []

    def programs(self, group: str) -> list[Program]:
        return [
            Program(name, group, self.program_state, 100, False, f"/logs/{name}.log")
            for name in (f"{group}_0", f"{group}_1")
        ]

    def start_group(self, group: str) -> None:
        self.did.append(f"start {group}")

    def stop_group(self, group: str) -> None:
        self.at_stop()
        self.did.append(f"stop {group}")

    def begin(self, version: str, share: Share) -> None:
        self.did.append(f"{version} gets {share.percent}")

    def end(self, version: str, state: str, _reason: str) -> None:
        self.did.append(f"{version} is {state}")

    def look(self, _version: str) -> Seen:
        return Seen(self.state, self.grey, GOOD, live_workers=2 if self.reports else 0)

    def local_runs(self, version: str) -> tuple[int, int]:
        if version == "1":
            return 2, self.old_runs.pop(0) if len(self.old_runs) > 1 else self.old_runs[0]
        return (2 if self.reports else 0), 1

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.at(self.now)

    def rollout(self) -> Rollout:
        return Rollout(self, self, self.said.append, clock=lambda: self.now, pause=self.pause)


@pytest.fixture
def slots(tmp_path: Path) -> list[Slot]:
    """Slot b is free, a holds version 1."""
    a, b = list_slots(tmp_path)
    a.fill({**VALUES, "GM_RELEASE": "1"})
    return [b, a]


def test_a_good_version_gets_more_and_more_and_then_everything(slots: list[Slot]) -> None:
    host = Host()

    went_on = host.rollout().carry_out(PLAN, *slots)

    assert went_on
    assert host.did == [
        "2 gets 10",
        "start workers-b",
        "2 gets 10",
        "2 gets 50",
        "2 is live",
        "stop workers-a",
    ]
    assert (slots[0].version(), slots[1].is_free()) == ("2", True)
    assert host.now >= 40, "each stage was watched"


@pytest.mark.parametrize(
    "host",
    [Host(grey=BAD), Host(reports=False), Host(program_state="FATAL"), Host(program_state="BACKOFF")],
    ids=["fails more", "never reports", "given up", "restarting"],
)
def test_a_bad_version_goes_back_and_the_old_one_is_not_touched(host: Host, slots: list[Slot]) -> None:
    went_on = host.rollout().carry_out(PLAN, *slots)

    assert not went_on
    assert host.did[-2:] == ["2 is rolled_back", "stop workers-b"]
    assert "stop workers-a" not in host.did
    assert (slots[0].is_free(), slots[1].version()) == (True, "1")


def test_a_version_whose_processes_end_at_once_is_not_waited_for(slots: list[Slot]) -> None:
    host = Host(reports=False, program_state="BACKOFF")

    went_on = host.rollout().carry_out(replace(PLAN, start_seconds=600), *slots)

    assert not went_on
    assert host.now < 60


def test_a_version_that_turns_bad_later_goes_back(slots: list[Slot]) -> None:
    host = Host()

    def turn_bad(now: float) -> None:
        host.grey = BAD if now > 30 else GOOD

    host.at = turn_bad
    went_on = host.rollout().carry_out(PLAN, *slots)

    assert not went_on
    assert "2 gets 50" in host.did


def test_an_interrupted_release_goes_back(slots: list[Slot]) -> None:
    host = Host()

    def interrupt(now: float) -> None:
        if now > 10:
            raise KeyboardInterrupt

    host.at = interrupt
    went_on = host.rollout().carry_out(PLAN, *slots)

    assert not went_on
    assert host.did[-2:] == ["2 is rolled_back", "stop workers-b"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_interrupts_it_twice_does_not_leave_half_of_it_behind(number: signal.Signals, slots: list[Slot]) -> None:
    host = Host(grey=BAD, at_stop=lambda: os.kill(os.getpid(), number))
    handler = signal.getsignal(number)

    went_on = host.rollout().carry_out(PLAN, *slots)

    assert (went_on, slots[0].is_free()) == (False, True)
    assert "it is going back already: wait until 2 is stopped" in host.said
    assert signal.getsignal(number) is handler


def test_processes_that_do_not_stay_up_are_told_of_with_their_log(slots: list[Slot]) -> None:
    host = Host(program_state="FATAL")

    host.rollout().carry_out(PLAN, *slots)

    assert "the end of /logs/workers-b_0.log says why workers-b_0 does not stay up" in host.said


def test_live_version_whose_command_is_interrupted_says_what_is_left_to_do(slots: list[Slot]) -> None:
    host = Host(old_runs=[2])

    def interrupt(_now: float) -> None:
        if "2 is live" in host.did:
            raise KeyboardInterrupt

    host.at = interrupt
    with pytest.raises(KeyboardInterrupt):
        host.rollout().carry_out(PLAN, *slots)

    assert host.said[-1] == "2 is live already; 1 is not stopped yet: the same command again stops it"


def test_the_old_version_is_stopped_once_it_runs_nothing(slots: list[Slot]) -> None:
    host = Host(old_runs=[2, 2, 1, 0])

    host.rollout().carry_out(replace(PLAN, stages=[Share(10)]), *slots)

    assert host.old_runs == [0]
    assert host.did[-1] == "stop workers-a"


def test_runs_that_do_not_end_are_handed_back_by_a_stop(slots: list[Slot]) -> None:
    host = Host(old_runs=[3])

    went_on = host.rollout().carry_out(replace(PLAN, drain_seconds=30), *slots)

    assert went_on
    assert host.did[-1] == "stop workers-a"


def test_the_first_release_of_a_host_is_live_at_once(tmp_path: Path) -> None:
    host = Host()

    went_on = host.rollout().carry_out(PLAN, list_slots(tmp_path)[0], None)

    assert went_on
    assert host.did == ["2 gets 10", "start workers-a", "2 is live"]


@pytest.mark.parametrize(("state", "stopped"), [("live", "stop workers-a"), ("rolled_back", "stop workers-b")])
def test_a_host_that_follows_does_what_another_decides(slots: list[Slot], state: str, stopped: str) -> None:
    host = Host()

    def decide(now: float) -> None:
        host.state = state if now > 100 else "grey"

    host.at = decide
    went_on = host.rollout().carry_out(replace(PLAN, follow=True), *slots)

    assert went_on is (state == "live")
    assert [did for did in host.did if did.startswith("stop")] == [stopped]
    assert not any("gets" in did or "2 is" in did for did in host.did), "it decides nothing"


def test_a_release_that_is_taken_back_while_its_workers_start_does_not_wait_for_them(slots: list[Slot]) -> None:
    host = Host(reports=False)

    def take_back(now: float) -> None:
        host.state = "rolled_back" if now > 5 else "grey"

    host.at = take_back
    went_on = host.rollout().carry_out(PLAN, *slots)

    assert not went_on
    assert host.now < 10


def test_a_release_that_is_live_already_only_stops_the_old_one(slots: list[Slot]) -> None:
    host = Host(state="live", old_runs=[1, 0])
    slots[0].fill(VALUES)

    went_on = host.rollout().carry_out(replace(PLAN, is_decided=True), *slots)

    assert went_on
    assert host.did == ["2 is live", "stop workers-a"]
    assert slots[1].is_free()
