"""What a task is given and what becomes of what it gives back, pure (docs/workflows.md, "Parameters")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gm_async_task.workflow.graph import ALL_TASKDATA
from gm_async_task.workflow.stats import Stat
from shared.web import strict_json

MAX_PARAMS_BYTES = 1024 * 1024
"""of one task's parameters as JSON: what its dependencies return is merged into them"""
MAX_PARAMS_DEPTH = strict_json.MAX_DEPTH - 1
"""of one task's parameters, which the worker reads as a part of an object"""


class RequiresFailed(ValueError):
    """A task can't be given what it requires; the text says what."""


def resolve(
    params: dict[str, Any] | None,
    requires: Sequence[str],
    results: Sequence[dict[str, Any]],
    task_extra: dict[str, Any],
    job_extra: dict[str, Any],
) -> dict[str, Any]:
    """Return a task's parameters; `results` are those of its direct dependencies, each with its `stat`, by task id.

    Given parameters stand alone. Else each required key comes from the dependencies, the latest one's first, then
    from the task's extra, then from the job's.

    Raises:
        RequiresFailed
    """
    if params is not None:
        return params
    sources = [*reversed(results), task_extra, job_extra]
    found = {key: list(results) if key == ALL_TASKDATA else _find(key, sources) for key in requires}
    if len(strict_json.dumps(found).encode()) > MAX_PARAMS_BYTES:
        raise RequiresFailed(f"what it requires has more than {MAX_PARAMS_BYTES} bytes")
    try:
        strict_json.check_depth(found, MAX_PARAMS_DEPTH)
    except ValueError as error:
        raise RequiresFailed(f"what it requires can't be given to it: {error}") from None
    return found


def missing_keys(provides: Sequence[str], result: dict[str, Any]) -> list[str]:
    """Return the promised keys that a result lacks."""
    return [key for key in provides if key not in result]


def saved_part(result: dict[str, Any]) -> Any:
    """Return what of a result a job keeps as its own: the `data`, or all but the `stat`."""
    if "data" in result:
        return result["data"]
    return {key: value for key, value in result.items() if key != "stat"}


def with_stat(stat: str, result: Any) -> dict[str, Any]:
    """Return a result as it is kept: the stat first, keys at the top level."""
    fields = result if isinstance(result, dict) else {} if result is None else {"data": result}
    return {"stat": stat, **{key: value for key, value in fields.items() if key != "stat"}}


def is_ok(stat: object) -> bool:
    """Tell whether a handler succeeded."""
    return stat == Stat.OK


def _find(key: str, sources: Sequence[dict[str, Any]]) -> Any:
    for source in sources:
        if key in source:
            return source[key]
    raise RequiresFailed(f"it requires {key}, which neither its dependencies nor the extras have")
