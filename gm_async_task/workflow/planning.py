"""What a plugin makes of a request, before anything is kept: the tasks, and the job's extra, locks, tags and time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gm_async_task.workflow.commands import MAX_SECONDS
from gm_async_task.workflow.graph import GraphRefused, PlannedTask, check_graph, is_handler
from gm_async_task.workflow.runner import WorkflowRunner
from gm_async_task.workflow.stats import Refused, Stat
from gm_async_task.workflow.store import split
from shared.web import strict_json

_MAX_MSG_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """A job that could be created."""

    tasks: tuple[PlannedTask, ...]
    extra: str
    """JSON text of an object"""
    timeout_seconds: int
    locks: tuple[str, ...]
    tags: tuple[str, ...]


def read_extra(given: Any) -> tuple[dict[str, Any], str]:
    """Return what the creator gave as an object and as the text that is kept.

    Raises:
        Refused: it is no object, nor the JSON text of one.
    """
    try:
        extra = strict_json.loads(given) if isinstance(given, str) else given
        text = given if isinstance(given, str) else json.dumps(extra, ensure_ascii=False, allow_nan=False)
        strict_json.check_depth(extra, strict_json.MAX_DEPTH)
    except ValueError as error:
        raise Refused(Stat.JOB_EXTRA_INVALID, f"job_extra is no JSON: {error}") from None
    if not isinstance(extra, dict):
        raise Refused(Stat.JOB_EXTRA_INVALID, "job_extra must be an object")
    return extra, text


def plan_job(
    plugin: type[WorkflowRunner], extra: dict[str, Any], extra_text: str, timeout_seconds: int, functions: list[str]
) -> Plan:
    """Let the plugin check the request and add its tasks; `functions` are the beginnings of names it may use.

    Raises:
        Refused: the plugin, or the graph's own check, refuses.
    """
    try:
        runner = _run(plugin, extra, timeout_seconds)
        tasks = tuple(runner.__dict__.get("planned", []))
        check_graph(tasks)
        for task in tasks:
            _check_function(task, functions)
        return Plan(
            tasks=tasks,
            extra=_extra_text(runner, extra, extra_text),
            timeout_seconds=_timeout(runner.job_timeout),
            locks=_items(runner.job_locks, "job_locks", 64),
            tags=_items(runner.job_tags, "job_tags", 128),
        )
    except (Exception, SystemExit) as error:  # whatever a plugin raises refuses the job, and nothing else
        raise Refused(Stat.JOB_CREATE_FAILED, (str(error) or type(error).__name__)[:_MAX_MSG_CHARACTERS]) from error


def _run(plugin: type[WorkflowRunner], extra: dict[str, Any], timeout_seconds: int) -> WorkflowRunner:
    runner = plugin()
    runner.job_extra = json.loads(json.dumps(extra))
    if not runner.job_timeout:
        runner.job_timeout = timeout_seconds
    runner.params_check()
    runner.workflow()
    return runner


def _check_function(task: PlannedTask, functions: list[str]) -> None:
    if is_handler(task.cmd) or not functions:
        return
    if not any(f"{task.cmd}.".startswith(f"{name.rstrip('.')}.") for name in functions):
        raise GraphRefused(f"the task {task.label} names {task.cmd}, which may not be dispatched here")


def _extra_text(runner: WorkflowRunner, extra: dict[str, Any], text: str) -> str:
    """Return the extra as the plugin left it."""
    if runner.job_extra != extra:
        text = json.dumps(runner.job_extra, ensure_ascii=False, allow_nan=False)
        if not isinstance(strict_json.loads(text), dict):
            raise GraphRefused("the plugin made something else of job_extra than an object")
    return fitting(text, "job_extra", 10_240)


def _timeout(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_SECONDS:
        raise GraphRefused("job_timeout is a whole number of seconds above zero")
    return value


def _items(value: object, what: str, limit: int) -> tuple[str, ...]:
    if isinstance(value, list | tuple | set | frozenset):
        value = ",".join(str(item) for item in value)
    if not isinstance(value, str):
        raise GraphRefused(f'{what} is a text such as "a,b"')
    items = tuple(dict.fromkeys(item.strip() for item in split(value) if item.strip()))
    fitting(",".join(items), what, limit)
    return items


def fitting(text: str, what: str, limit: int) -> str:
    """Return a text that its column takes.

    Raises:
        GraphRefused: it is too long, or has what no database stores.
    """
    if len(text) > limit:
        raise GraphRefused(f"{what} is longer than {limit} characters")
    if not strict_json.is_clean_text(text):
        raise GraphRefused(f"{what} has a character that can't be stored")
    return text
