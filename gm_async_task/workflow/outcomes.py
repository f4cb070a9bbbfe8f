"""How the end of a task's row is read as the end of a job's task, pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gm_async_task.workflow.params import missing_keys, with_stat
from gm_async_task.workflow.stats import Stat
from shared.task_api.models import TaskStatus

MAX_STAT_CHARACTERS = 64
_STATS = {
    "run_timeout": Stat.TASK_TIMEOUT,
    "function_failed": Stat.SERVER_EXCEPTION,
    "result_refused": Stat.SERVER_EXCEPTION,
    "worker_lost": Stat.SERVER_EXCEPTION,
    "never_started": Stat.TASK_TIMEOUT,
    "unknown_function": Stat.HANDLER_NOT_EXISTS,
}


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """How a task ended."""

    stat: str
    data: dict[str, Any]
    """its result with the stat, or a `msg` that says what went wrong"""


def read_end(
    status: int,
    result: Any,
    *,
    reason: str | None,
    reason_code: str | None,
    run_count: int,
    provides: Sequence[str],
) -> TaskEnd:
    """Read how a row of the task table ended; what it promised to provide must be there.

    A task function that succeeded in part has succeeded: its result says what failed.
    """
    said = result.get("stat") if isinstance(result, dict) else None
    if status == TaskStatus.FAILED:
        stat = said if isinstance(said, str) and said and said != Stat.OK else _stat_of(reason_code, run_count)
        return TaskEnd(_cut(stat), with_stat(_cut(stat), result if isinstance(result, dict) else {"msg": reason}))
    if isinstance(said, str) and said and said != Stat.OK:
        return TaskEnd(_cut(said), with_stat(_cut(said), result))
    data = with_stat(Stat.OK, result)
    if missing := missing_keys(provides, data):
        msg = f"the result lacks what the task provides: {', '.join(missing)}"
        return TaskEnd(Stat.TASK_PROVIDES, {**data, "stat": Stat.TASK_PROVIDES.value, "msg": msg})
    return TaskEnd(Stat.OK, data)


def _stat_of(reason_code: str | None, run_count: int) -> str:
    if reason_code == "closed" and run_count == 0:
        # A worker closes a task whose function none of the workers has.
        return Stat.HANDLER_NOT_EXISTS
    if reason_code is None:
        return Stat.SERVER_EXCEPTION
    return _STATS.get(reason_code) or f"ERR_{reason_code.upper()}"


def _cut(stat: str) -> str:
    return str(stat)[:MAX_STAT_CHARACTERS]
