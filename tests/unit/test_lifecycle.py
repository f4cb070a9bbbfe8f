"""R15: every transition, with the right token, a stale one and none, against the contract's table."""

from __future__ import annotations

import pytest

from shared.errors import StaleRun, TransitionRefused
from shared.task_api import lifecycle
from shared.task_api.lifecycle import Lost, State
from shared.task_api.models import TaskStatus, TaskType

RIGHT, STALE, NONE = 7, 6, None
ALL = list(TaskStatus)
SUBMITTED, RUNNING, FINISHED, PARTLY, FAILED = ALL

# (from, to, token) that an update of `status` may do to an import; everything else is refused.
ALLOWED = {
    *((RUNNING, end, token) for end in (FINISHED, PARTLY, FAILED) for token in (RIGHT, NONE)),
    (SUBMITTED, FAILED, NONE),
    (PARTLY, FINISHED, NONE),
    (FAILED, PARTLY, NONE),
    (FAILED, FINISHED, NONE),
    # Naming the present state changes nothing and is no error.
    *((state, state, NONE) for state in ALL),
}


@pytest.mark.parametrize("token", [RIGHT, STALE, NONE])
@pytest.mark.parametrize("wanted", ALL)
@pytest.mark.parametrize("present", ALL)
def test_transition_table(present: TaskStatus, wanted: TaskStatus, token: int | None) -> None:
    state = State(present, run_count=RIGHT, type=TaskType.IMPORT)

    try:
        lifecycle.check_transition(state, wanted, token)
        allowed = True
    except (StaleRun, TransitionRefused):
        allowed = False

    assert ((present, wanted, token) in ALLOWED) == allowed


@pytest.mark.parametrize("kind", [TaskType.EXPORT, TaskType.PROCESS])
@pytest.mark.parametrize("present", [PARTLY, FAILED])
def test_only_imports_are_amended(present: TaskStatus, kind: TaskType) -> None:
    with pytest.raises(TransitionRefused):
        lifecycle.check_transition(State(present, 1, type=kind), FINISHED, NONE)


@pytest.mark.parametrize(
    ("present", "repeat", "expected"),
    [
        (SUBMITTED, False, True),
        (SUBMITTED, True, True),
        (RUNNING, True, False),
        (RUNNING, False, False),
        *((end, repeat, repeat) for end in (FINISHED, PARTLY, FAILED) for repeat in (True, False)),
    ],
)
def test_startable_states(present: TaskStatus, repeat: bool, expected: bool) -> None:
    assert lifecycle.may_start(State(present, 1, repeat=repeat)) == expected


@pytest.mark.parametrize("token", [RIGHT, STALE, NONE])
@pytest.mark.parametrize("present", ALL)
def test_only_the_holder_passes(present: TaskStatus, token: int | None) -> None:
    state = State(present, run_count=RIGHT)
    expected = present is RUNNING and token != STALE

    try:
        lifecycle.check_holder(state, token)
        passed = True
    except (StaleRun, TransitionRefused):
        passed = False

    assert passed == expected


@pytest.mark.parametrize(
    ("repeat", "has_queue", "stop_requested", "lost_runs", "expected"),
    [
        (True, True, False, 1, Lost.RUN_AGAIN),
        (True, True, False, 2, Lost.RUN_AGAIN),
        (True, True, False, 3, Lost.END),
        (True, True, True, 1, Lost.END),
        (True, False, False, 1, Lost.END),
        (False, True, False, 1, Lost.END),
    ],
)
def test_lost_run_verdicts(repeat: bool, has_queue: bool, stop_requested: bool, lost_runs: int, expected: Lost) -> None:
    verdict = lifecycle.judge_lost(
        repeat=repeat, has_queue=has_queue, stop_requested=stop_requested, lost_runs=lost_runs, max_runs=3
    )

    assert verdict is expected
