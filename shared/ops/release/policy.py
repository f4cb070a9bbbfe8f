"""Whether a version that is being tried goes on or goes back: pure, from what its tasks and the others' did."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

_SURE = 2.0
"""standard deviations between two failure rates that are taken for a difference: one time in 44 it is chance"""
_LEAST_DIFFERENCE = 0.05
_LEAST_FAILED = 3
_LEAST_STARTED = 5
_SLOWER_TIMES = 3.0
_PATIENCE_TIMES = 3.0
"""with too few tasks to judge by, a stage is watched so many times longer, and then taken for good"""


class Verdict(StrEnum):
    """What to do next."""

    WAIT = "wait"
    GO_ON = "go on"
    GO_BACK = "go back"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and why in a sentence that an operator reads."""

    verdict: Verdict
    why: str


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """What the tasks of one lane did since the release began; times in seconds, None where nothing is known."""

    started: int = 0
    ended: int = 0
    failed: int = 0
    running: int = 0
    start_delay_p95: float | None = None
    oldest_waiting: float | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """When a release goes on, and when it goes back."""

    watch_seconds: float = 120.0
    """how long each stage is watched"""
    min_ended: int = 10
    """tasks of the new version that must have ended before a stage is taken for good"""
    max_failed_share: float = 0.2
    """failed of ended, where the old version has too few ended tasks to compare with"""
    max_start_delay_seconds: float = 10.0
    """a new version whose tasks wait longer, and three times as long as the others', goes back"""
    silent_seconds: float = 20.0
    """a new version none of whose workers was heard of for so long goes back"""


def judge(
    grey: LaneFigures, base: LaneFigures, *, silent_seconds: float, watched_seconds: float, rules: Rules
) -> Judgement:
    """Return what to do with a stage that has been watched for `watched_seconds`.

    `silent_seconds`: how long no worker of the new version has been heard of.
    """
    if silent_seconds > rules.silent_seconds:
        return _back(f"none of its workers was heard of for {silent_seconds:.0f} seconds")
    for problem in (_fails_more(grey, base, rules), _starts_later(grey, base, rules), _stands_still(grey, rules)):
        if problem:
            return _back(problem)
    if watched_seconds < rules.watch_seconds:
        return Judgement(Verdict.WAIT, _seen(grey))
    if grey.ended >= rules.min_ended:
        return Judgement(Verdict.GO_ON, _seen(grey))
    if watched_seconds >= rules.watch_seconds * _PATIENCE_TIMES:
        return Judgement(Verdict.GO_ON, f"{_seen(grey)}; there was not more to judge by")
    return Judgement(Verdict.WAIT, f"{_seen(grey)}; {rules.min_ended} are wanted to judge by")


def _fails_more(grey: LaneFigures, base: LaneFigures, rules: Rules) -> str | None:
    if grey.failed < _LEAST_FAILED:
        return None
    rate = grey.failed / grey.ended
    told = f"{grey.failed} of its {grey.ended} ended tasks failed"
    if base.ended < rules.min_ended:
        return told if rate > rules.max_failed_share else None
    usual = base.failed / base.ended
    pooled = (grey.failed + base.failed) / (grey.ended + base.ended)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / grey.ended + 1 / base.ended))
    if rate - usual > max(_LEAST_DIFFERENCE, _SURE * spread):
        return f"{told}, against {base.failed} of {base.ended} of the others'"
    return None


def _starts_later(grey: LaneFigures, base: LaneFigures, rules: Rules) -> str | None:
    delay = grey.start_delay_p95
    if delay is None or grey.started < _LEAST_STARTED:
        return None
    usual = base.start_delay_p95 or 0.0
    if delay <= rules.max_start_delay_seconds or delay <= usual * _SLOWER_TIMES:
        return None
    return f"its tasks wait {delay:.1f} seconds for their start (95th percentile), the others' {usual:.1f}"


def _stands_still(grey: LaneFigures, rules: Rules) -> str | None:
    waiting = grey.oldest_waiting or 0.0
    if grey.running or waiting <= 2 * rules.max_start_delay_seconds:
        return None
    return f"a task has waited for {waiting:.0f} seconds and its workers run nothing"


def _seen(grey: LaneFigures) -> str:
    delay = "-" if grey.start_delay_p95 is None else f"{grey.start_delay_p95:.1f} s"
    return f"{grey.ended} ended, {grey.failed} of them failed, start delay {delay}"


def _back(why: str) -> Judgement:
    return Judgement(Verdict.GO_BACK, why)
