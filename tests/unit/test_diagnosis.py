"""Why is it stuck, told from facts."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gm_async_task.workers.diagnosis import Facts, Workers, diagnose
from shared.task_api.models import TaskStatus

IDLE = Workers(serving=2, able=2, knowing=2, children=4, running=1)
WAITS = Facts(TaskStatus.SUBMITTED, "shop.close", "gm_task", changed=30, next_ring=4, workers=IDLE)
RUNS = Facts(
    TaskStatus.RUNNING, "shop.close", "gm_task", changed=3, lease_left=50, run_for=80, run_limit=600, owner="w1"
)


@pytest.mark.parametrize(
    ("facts", "first"),
    [
        (replace(WAITS, queue=None), "without a queue"),
        (replace(WAITS, workers=Workers()), "No live worker takes from the queue gm_task"),
        (
            replace(WAITS, workers=replace(IDLE, able=0, knowing=0)),
            "None of the 2 workers .* has the function shop.close",
        ),
        (replace(WAITS, workers=replace(IDLE, able=0, knowing=1)), "1 on other queues have it"),
        (replace(WAITS, workers=replace(IDLE, running=4), ahead=7), "All 4 places .* 7 tasks are before it"),
        (replace(WAITS, ahead=3), "3 tasks .* workers have room"),
        (replace(WAITS, rung=4), "rang 4 times: the bell does not reach them"),
        (WAITS, "should start at once"),
        (RUNS, "w1 runs it for 80 s and was heard of; its lease has 50 s"),
        (replace(RUNS, lease_left=-1), "the keeper takes it back now"),
        (replace(RUNS, lease_left=-60), "ended 60 s ago: is a keeper running"),
        (replace(RUNS, status=TaskStatus.FAILED, reason="Closed on request."), "has ended: Closed on request"),
        (replace(RUNS, status=TaskStatus.FINISHED), "has ended\\."),
    ],
)
def test_what_keeps_a_task_is_said_first(facts: Facts, first: str) -> None:
    told = diagnose(facts)

    assert re.search(first, told[0]), told


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (WAITS, "has not rung for it yet; it will in 4 s"),
        (replace(WAITS, rung=1, next_ring=20), "rang for it once; it will again in 20 s"),
        (replace(WAITS, rung=2, next_ring=-60), "60 s late: is a keeper running"),
        (replace(RUNS, changed=300), "no progress for 300 s"),
        (replace(RUNS, changed=300, stop_left=12), "asked to stop it; the keeper ends it in 12 s"),
        (RUNS, "ends it in 520 s"),
        (replace(WAITS, lost_runs=2), "died 2 times"),
    ],
)
def test_what_happens_next_is_said_too(facts: Facts, said: str) -> None:
    assert said in " ".join(diagnose(facts))
