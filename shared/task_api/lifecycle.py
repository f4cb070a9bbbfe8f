"""The state machine of a task, pure: which changes each state allows, and to whom.

gm_async_task asks it under the row's lock, the fake in memory; nothing else decides about states.

    submitted -> running -> finished | partly succeeded | failed
    submitted -> failed                     closed before it ran, or could never be dispatched
    running -> submitted                    a `repeat` task whose run was lost or handed back
    any end -> running                      a `repeat` task started again
    partly succeeded | failed -> finished | partly succeeded     an import whose failed rows were amended
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from shared.errors import InvalidField, ProgressBackwards, StaleRun, TransitionRefused
from shared.task_api.models import ENDED, TaskStatus, TaskType
from shared.web import strict_json

UPDATABLE = ("result", "progress", "reason", "status", "message_show")
_AMENDED = frozenset(
    {
        (TaskStatus.PARTLY_SUCCEEDED, TaskStatus.FINISHED),
        (TaskStatus.FAILED, TaskStatus.PARTLY_SUCCEEDED),
        (TaskStatus.FAILED, TaskStatus.FINISHED),
    }
)
MAX_REASON_CHARACTERS = 1000
MAX_RESULT_DEPTH = 31
"""what MariaDB takes in a JSON column"""


@dataclass(frozen=True, slots=True)
class State:
    """What of a task the rules look at."""

    status: TaskStatus
    run_count: int
    repeat: bool = False
    type: int = TaskType.PROCESS
    progress: int | None = None
    result: Any = None
    reason: str | None = None


class Lost(Enum):
    """What becomes of a task whose run was lost."""

    RUN_AGAIN = "run_again"
    END = "end"


def may_start(state: State, expect_run_count: int | None = None) -> bool:
    """Tell whether a run may begin: nobody has run it yet, or it may be repeated and has ended.

    A doorbell carries `expect_run_count`, and starts only what waits to be started: one that comes late, after
    the task was closed or ran, must not start it again.
    """
    if expect_run_count is not None:
        return state.status == TaskStatus.SUBMITTED and state.run_count == expect_run_count
    return state.status == TaskStatus.SUBMITTED or (state.repeat and state.status in ENDED)


def check_holder(state: State, run_count: int | None) -> None:
    """Let the present run pass, and callers of old, who carry no fencing token, while the task runs.

    Raises:
        StaleRun: a token was carried that is not the present run's.
        TransitionRefused: none was carried and nothing runs.
    """
    if run_count is not None and (state.status != TaskStatus.RUNNING or run_count != state.run_count):
        raise StaleRun(run_count=run_count)
    if state.status != TaskStatus.RUNNING:
        raise TransitionRefused(state=_name(state.status), wanted="changed")


def check_transition(state: State, wanted: TaskStatus, run_count: int | None) -> None:
    """Let an update of `status` pass: the holder ends its run, or an amended import moves up.

    Raises:
        StaleRun, TransitionRefused
    """
    amended = run_count is None and state.type == TaskType.IMPORT and (state.status, wanted) in _AMENDED
    unstarted_closed = run_count is None and (state.status, wanted) == (TaskStatus.SUBMITTED, TaskStatus.FAILED)
    if amended or unstarted_closed:
        return
    if run_count is None and state.status == wanted:
        return
    if state.status == TaskStatus.RUNNING or run_count is not None:
        check_holder(state, run_count)
    if wanted not in ENDED or state.status != TaskStatus.RUNNING:
        raise TransitionRefused(state=_name(state.status), wanted=_name(wanted))


def check_update(state: State, field: str, value: Any, run_count: int | None) -> Any:
    """Return the value that `field` may take now, in its column's type.

    Raises:
        InvalidField, StaleRun, TransitionRefused, ProgressBackwards
    """
    if field not in UPDATABLE:
        raise InvalidField(field="field", problem="only " + ", ".join(UPDATABLE) + " can be updated")
    cleaned = _CLEANERS[field](value)
    if field == "status":
        check_transition(state, cleaned, run_count)
    elif field == "message_show":
        if run_count is not None:
            check_holder(state, run_count)
    elif not (field in ("result", "reason") and run_count is None and is_amendable(state)):
        check_holder(state, run_count)
    if field == "progress" and state.progress is not None and cleaned < state.progress:
        raise ProgressBackwards(present=state.progress, wanted=cleaned)
    return cleaned


def is_amendable(state: State) -> bool:
    """Tell whether rows of an import's result may still be corrected after its end."""
    return state.type == TaskType.IMPORT and state.status in (TaskStatus.PARTLY_SUCCEEDED, TaskStatus.FAILED)


def check_amendment(state: State, wanted: TaskStatus | None) -> None:
    """Let the correction of an ended import's rows pass; `wanted` is the status that follows from its rows.

    Raises:
        TransitionRefused: it is no import with failed rows, or it would move down.
    """
    if not is_amendable(state):
        raise TransitionRefused(state=_name(state.status), wanted="amended")
    if wanted is not None:
        check_transition(state, wanted, None)


def check_repeated_finish(state: State, outcome: dict[str, Any], run_count: int | None) -> None:
    """Let a finish pass that was accepted before: same run, same outcome, nothing left to do.

    `outcome` has the status, and of result and reason what the caller gave.

    Raises:
        StaleRun, TransitionRefused: it is another run's, or another outcome.
    """
    same_run = run_count is None or run_count == state.run_count
    same_outcome = all(getattr(state, name) == value for name, value in outcome.items())
    if state.status in ENDED and same_run and same_outcome:
        return
    if run_count is not None:
        raise StaleRun(run_count=run_count)
    raise TransitionRefused(state=_name(state.status), wanted=_name(outcome["status"]))


def check_depth(result: Any) -> None:
    """Let a result pass that every database takes.

    Raises:
        InvalidField: its lists and objects stand too deep inside one another.
    """
    try:
        strict_json.check_depth(result, MAX_RESULT_DEPTH)
    except ValueError as error:
        raise InvalidField(field="result", problem=str(error)) from None


def judge_lost(*, repeat: bool, has_queue: bool, stop_requested: bool, lost_runs: int, max_runs: int) -> Lost:
    """Decide about a task whose run died: run again only where that is allowed, possible and still wanted.

    `lost_runs` counts the runs that died, this one included; a task that kills its workers ends at `max_runs`.
    """
    may_run_again = repeat and has_queue and not stop_requested and lost_runs < max_runs
    return Lost.RUN_AGAIN if may_run_again else Lost.END


def _clean_status(value: Any) -> TaskStatus:
    if isinstance(value, bool) or str(value) not in ("1", "2", "3", "4", "5"):
        raise InvalidField(field="value", problem="a status is one of 1, 2, 3, 4, 5")
    return TaskStatus(int(value))


def _clean_progress(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 3:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100:
        raise InvalidField(field="value", problem="progress is a whole number from 0 to 100")
    return value


def _clean_reason(value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and len(value) <= MAX_REASON_CHARACTERS):
        raise InvalidField(field="value", problem=f"a reason is a text of at most {MAX_REASON_CHARACTERS} characters")
    return value


def _clean_message_show(value: Any) -> bool:
    if isinstance(value, str | int) and str(value).lower() in ("true", "1", "false", "0"):
        return str(value).lower() in ("true", "1")
    raise InvalidField(field="value", problem="message_show is true or false")


def _clean_result(value: Any) -> Any:
    """Read a text that can only be JSON as JSON: callers of old send the whole result as text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return strict_json.loads(value)
        except ValueError as error:
            raise InvalidField(field="value", problem=str(error)) from None
    return value


_CLEANERS = {
    "result": _clean_result,
    "progress": _clean_progress,
    "reason": _clean_reason,
    "status": _clean_status,
    "message_show": _clean_message_show,
}


def _name(status: TaskStatus) -> str:
    return status.name.lower().replace("_", " ")
