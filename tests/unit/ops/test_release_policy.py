"""When a release goes on, waits or goes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.ops.release.policy import LaneFigures, Rules, Verdict, judge

RULES = Rules(watch_seconds=100, min_ended=10, max_failed_share=0.2, max_start_delay_seconds=10, silent_seconds=20)
GOOD = LaneFigures(started=50, ended=40, failed=1, running=2, start_delay_p95=0.4, oldest_waiting=0.2)
USUAL = LaneFigures(started=500, ended=490, failed=10, running=2, start_delay_p95=0.5, oldest_waiting=0.1)
NOTHING = LaneFigures()


def _judge(grey: LaneFigures, base: LaneFigures = USUAL, **given: Any) -> Verdict:
    return judge(grey, base, **{"silent_seconds": 0, "watched_seconds": 50, "rules": RULES, **given}).verdict


@pytest.mark.parametrize(
    ("grey", "base", "given", "verdict"),
    [
        (GOOD, USUAL, {}, Verdict.WAIT),
        (GOOD, USUAL, {"watched_seconds": 100}, Verdict.GO_ON),
        (GOOD, USUAL, {"silent_seconds": 21}, Verdict.GO_BACK),
        (GOOD, USUAL, {"silent_seconds": 21, "watched_seconds": 100}, Verdict.GO_BACK),
        # Too little to judge by: watched three times as long, then taken for good.
        (replace(GOOD, ended=9), USUAL, {"watched_seconds": 100}, Verdict.WAIT),
        (NOTHING, NOTHING, {"watched_seconds": 299}, Verdict.WAIT),
        (NOTHING, NOTHING, {"watched_seconds": 300}, Verdict.GO_ON),
        # Failures: compared with the others', or with a limit where those say too little.
        (replace(GOOD, ended=10, failed=3), USUAL, {}, Verdict.GO_BACK),
        (replace(GOOD, ended=10, failed=2), USUAL, {}, Verdict.WAIT),
        (replace(GOOD, ended=100, failed=30), replace(USUAL, ended=100, failed=28), {}, Verdict.WAIT),
        (replace(GOOD, ended=100, failed=50), replace(USUAL, ended=100, failed=28), {}, Verdict.GO_BACK),
        (replace(GOOD, ended=1000, failed=50), replace(USUAL, ended=1000, failed=10), {}, Verdict.WAIT),
        (replace(GOOD, ended=1000, failed=70), replace(USUAL, ended=1000, failed=10), {}, Verdict.GO_BACK),
        (replace(GOOD, ended=16, failed=3), NOTHING, {}, Verdict.WAIT),
        (replace(GOOD, ended=14, failed=3), NOTHING, {}, Verdict.GO_BACK),
        (replace(GOOD, ended=3, failed=3), NOTHING, {}, Verdict.GO_BACK),
        # Start delay.
        (replace(GOOD, start_delay_p95=10.1), USUAL, {}, Verdict.GO_BACK),
        (replace(GOOD, start_delay_p95=10.1, started=4), USUAL, {}, Verdict.WAIT),
        (replace(GOOD, start_delay_p95=40.0), replace(USUAL, start_delay_p95=20.0), {}, Verdict.WAIT),
        (replace(GOOD, start_delay_p95=61.0), replace(USUAL, start_delay_p95=20.0), {}, Verdict.GO_BACK),
        (replace(GOOD, start_delay_p95=11.0), replace(USUAL, start_delay_p95=None), {}, Verdict.GO_BACK),
        # Standing still: waiting is nobody's fault while something runs.
        (replace(GOOD, oldest_waiting=21, running=0), USUAL, {}, Verdict.GO_BACK),
        (replace(GOOD, oldest_waiting=21, running=1), USUAL, {}, Verdict.WAIT),
    ],
)
def test_a_release_is_judged_by_its_tasks(
    grey: LaneFigures, base: LaneFigures, given: dict[str, float], verdict: Verdict
) -> None:
    assert _judge(grey, base, **given) is verdict


def test_a_verdict_says_why() -> None:
    judgement = judge(replace(GOOD, ended=20, failed=15), USUAL, silent_seconds=0, watched_seconds=1, rules=RULES)

    assert judgement.why == "15 of its 20 ended tasks failed, against 10 of 490 of the others'"
