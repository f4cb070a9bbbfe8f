"""The steps of a release on one host: start the new version beside the old, share, watch, then go on or go back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.ops.release.interrupts import uninterrupted
from shared.ops.release.policy import Judgement, LaneFigures, Rules, Verdict, judge
from shared.ops.release.slots import Slot
from shared.ops.supervisors import Supervisor

_CHECK_SECONDS = 2.0
_TOLD_SECONDS = 15.0
_UNSTABLE = frozenset({"BACKOFF", "FATAL", "EXITED", "UNKNOWN"})


class ReleaseRefused(Exception):
    """Why a release does not begin, in a sentence."""


@dataclass(frozen=True, slots=True)
class Share:
    """Which tasks the new version gets: `percent` of those of the stations and queues named; none named means all."""

    percent: int
    stations: Sequence[str] = ()
    queues: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a release and of the workers of its version."""

    state: str
    """`grey` while it is tried, `live` or `rolled_back` once that was decided, here or on another host"""
    grey: LaneFigures
    base: LaneFigures
    live_workers: int
    """workers of its version, on all hosts, that were heard of lately"""


class Releases(Protocol):
    """What gm_async_task knows and keeps of releases; whatever is away is asked again for a while."""

    def begin(self, version: str, share: Share) -> None:
        """Announce a release, or change the share of the one that is tried."""
        ...

    def end(self, version: str, state: str, reason: str) -> None:
        """Decide it: `live` or `rolled_back`."""
        ...

    def look(self, version: str) -> Seen:
        """Return how it stands."""
        ...

    def local_runs(self, version: str) -> tuple[int, int]:
        """Return how many workers of `version` this host has, and how many runs they have in hand."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operator asked for."""

    version: str
    values: Mapping[str, str]
    """of the slot's file"""
    stages: Sequence[Share]
    """the shares that the new version gets one after the other; the last is followed by all"""
    rules: Rules = field(default_factory=Rules)
    start_seconds: float = 60
    """the new workers must have reported by then"""
    drain_seconds: float = 300
    """what the old version's runs get to end by themselves; what then still runs is handed back or gets its grace"""
    follow: bool = False
    """another host leads: share nothing, decide nothing, do what it decides"""
    is_decided: bool = False
    """it is live already, and the command that made it so was killed: only the old one is left to be stopped"""


class Rollout:
    """Carries one plan out."""

    def __init__(
        self,
        releases: Releases,
        supervisor: Supervisor,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._releases = releases
        self._supervisor = supervisor
        self._say = say
        self._clock = clock
        self._pause = pause

    def carry_out(self, plan: Plan, new: Slot, old: Slot | None) -> bool:
        """Release; True where the new version is live in the end, False where everything went back.

        Whatever interrupts it, the operator included, makes it go back.

        Raises:
            SupervisorAway, Unavailable: it could not even go back; the same command takes it up again.
        """
        self._update_supervisor()
        try:
            judgement = self._try(plan, new, old)
        except KeyboardInterrupt:
            judgement = Judgement(Verdict.GO_BACK, "it was interrupted")
        if judgement.verdict is Verdict.GO_BACK:
            self.go_back(plan.version, new, judgement.why, decides=not plan.follow)
            return False
        self._go_on(plan, old, judgement.why)
        return True

    def go_back(self, version: str, new: Slot, why: str, *, decides: bool = True) -> None:
        """End its workers on this host; who decides for all hosts gives its tasks to the old version first."""
        self._say(f"going back: {why}")
        with uninterrupted(self._say, f"it is going back already: wait until {version} is stopped"):
            if decides:
                self._releases.end(version, "rolled_back", why)
            self._supervisor.stop_group(new.group)
            new.free()
        self._say(f"{version} is stopped; its waiting tasks went to the others")

    def _update_supervisor(self) -> None:
        for group in self._supervisor.update():
            self._say(f"supervisor's files of {group} changed; it goes on as before until it is restarted")

    def _try(self, plan: Plan, new: Slot, old: Slot | None) -> Judgement:
        if plan.is_decided:
            return Judgement(Verdict.GO_ON, f"{plan.version} is live already")
        if not plan.follow:
            self._releases.begin(plan.version, plan.stages[0])
        self._start(plan, new)
        if failed := self._wait_for_workers(plan, new):
            return failed
        if old is None and not plan.follow:
            return Judgement(Verdict.GO_ON, "no other version runs here")
        if plan.follow:
            return self._watch(plan, new, Rules(watch_seconds=float("inf")))
        for share in plan.stages:
            self._releases.begin(plan.version, share)
            self._say(f"{plan.version} gets {_told(share)}")
            judgement = self._watch(plan, new, plan.rules)
            if judgement.verdict is Verdict.GO_BACK:
                return judgement
        return judgement

    def _start(self, plan: Plan, new: Slot) -> None:
        if new.version() != plan.version:
            new.fill(plan.values)
        self._supervisor.start_group(new.group)
        self._say(f"{plan.version} starts in slot {new.name}")

    def _wait_for_workers(self, plan: Plan, new: Slot) -> Judgement | None:
        """Wait until all have reported; return why they never will."""
        deadline = self._clock() + plan.start_seconds
        wanted = len(self._supervisor.programs(new.group))
        while self._releases.local_runs(plan.version)[0] < wanted:
            if failed := self._taken_back(plan) or self._stays_up(new):
                return failed
            if self._clock() > deadline:
                why = f"its workers did not report within {plan.start_seconds:.0f} seconds"
                return Judgement(Verdict.GO_BACK, why)
            self._pause(min(_CHECK_SECONDS, plan.start_seconds / 10))
        self._say(f"{wanted} workers of {plan.version} have reported")
        return None

    def _taken_back(self, plan: Plan) -> Judgement | None:
        judgement = _decided(self._releases.look(plan.version).state)
        return judgement if judgement and judgement.verdict is Verdict.GO_BACK else None

    def _watch(self, plan: Plan, new: Slot, rules: Rules) -> Judgement:
        """Look at one stage until it is good or bad, or another host has decided."""
        began = heard = told = self._clock()
        while True:
            seen = self._releases.look(plan.version)
            now = self._clock()
            heard = now if seen.live_workers else heard
            judgement = (
                _decided(seen.state)
                or self._stays_up(new)
                or judge(seen.grey, seen.base, silent_seconds=now - heard, watched_seconds=now - began, rules=rules)
            )
            if judgement.verdict is not Verdict.WAIT:
                self._say(judgement.why)
                return judgement
            if now - told >= _TOLD_SECONDS:
                told = now
                self._say(judgement.why)
            self._pause(min(_CHECK_SECONDS, rules.watch_seconds / 10))

    def _stays_up(self, new: Slot) -> Judgement | None:
        down = [program for program in self._supervisor.programs(new.group) if program.state in _UNSTABLE]
        if not down:
            return None
        self._say(f"the end of {down[0].log} says why {down[0].name} does not stay up")
        told = ", ".join(f"{program.name} is {program.state}" for program in down)
        return Judgement(Verdict.GO_BACK, f"its processes do not stay up: {told}")

    def _go_on(self, plan: Plan, old: Slot | None, why: str) -> None:
        if not plan.follow:
            self._releases.end(plan.version, "live", why)
        self._say(f"{plan.version} gets everything")
        if old is None:
            return
        version = old.version() or ""
        try:
            self._drain(version, plan.drain_seconds)
            self._supervisor.stop_group(old.group)
            old.free()
        except KeyboardInterrupt:
            self._say(f"{plan.version} is live already; {version} is not stopped yet: the same command again stops it")
            raise
        self._say(f"{version} is stopped")

    def _drain(self, version: str, seconds: float) -> None:
        """Let the old workers end what they run; they take nothing new."""
        deadline = self._clock() + seconds
        while (runs := self._releases.local_runs(version)[1]) and self._clock() < deadline:
            self._pause(_CHECK_SECONDS / 4)
        self._say(
            f"{version} runs {runs} tasks still: they are handed back, or get their grace"
            if runs
            else f"{version} runs nothing any more"
        )


def _decided(state: str) -> Judgement | None:
    if state == "live":
        return Judgement(Verdict.GO_ON, "it is live: another command decided so")
    if state == "rolled_back":
        return Judgement(Verdict.GO_BACK, "it was rolled back by another command")
    return None


def _told(share: Share) -> str:
    of = [
        f"of {name} {', '.join(named)}"
        for name, named in (("stations", share.stations), ("queues", share.queues))
        if named
    ]
    return " ".join([f"{share.percent} % of the new tasks", *of])
