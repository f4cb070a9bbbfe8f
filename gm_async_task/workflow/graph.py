"""The graph of a job, pure: what a plugin may add, in which order it runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.web import strict_json
from shared.web.fields import DOTTED_PATH

LABEL = re.compile(r"[A-Za-z0-9_-]+")
HANDLER = re.compile(r"/[A-Za-z_][A-Za-z0-9_]*/[A-Za-z_][A-Za-z0-9_]*")
ALL_TASKDATA = "all_taskdata"
MAX_TASKS = 500
MAX_FUNCTION_CHARACTERS = 64
"""what a task's name takes"""
_LIMITS = {"label": 64, "cmd": 128, "requires": 1024, "provides": 1024, "dependencies": 10_240}


class GraphRefused(ValueError):
    """A job can't be made of these tasks; the text says why."""


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task as a plugin added it."""

    label: str
    cmd: str
    """`/app/func`, or the dotted path of a task function"""
    params: str | None = None
    """JSON text of an object"""
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    retry_max: int = 0
    is_save: bool = False
    timeout_seconds: int | None = None
    extra: str = "{}"
    """JSON text of an object"""


def check_graph(tasks: Sequence[PlannedTask]) -> None:
    """Let a graph pass that can be run from its first task to its last; each names only tasks added before it.

    Raises:
        GraphRefused
    """
    if not tasks:
        raise GraphRefused("the workflow adds no task")
    if len(tasks) > MAX_TASKS:
        raise GraphRefused(f"the workflow adds more than {MAX_TASKS} tasks")
    labels = {task.label for task in tasks}
    added: set[str] = set()
    for task in tasks:
        _check_task(task)
        if task.label in added:
            raise GraphRefused(f"the label {task.label} stands twice")
        for name in task.dependencies:
            _check_dependency(task.label, name, added, labels)
        added.add(task.label)


def _check_dependency(label: str, name: str, added: set[str], labels: set[str]) -> None:
    if name in added:
        return
    if name == label:
        raise GraphRefused(f"the task {label} depends on itself")
    if name in labels:
        raise GraphRefused(f"the task {label} depends on {name}, which is added after it: that could be a cycle")
    raise GraphRefused(f"the task {label} depends on {name[:64]!r}, which is unknown")


def _check_task(task: PlannedTask) -> None:
    if not LABEL.fullmatch(task.label):
        raise GraphRefused(f"the label {task.label[:64]!r} has other characters than letters, digits, _ and -")
    _check_lengths(task)
    if not is_handler(task.cmd) and not (DOTTED_PATH.fullmatch(task.cmd) and len(task.cmd) <= MAX_FUNCTION_CHARACTERS):
        raise GraphRefused(f"the task {task.label} names neither a handler like /app/func nor a task function")
    for key in (*task.requires, *task.provides):
        if not key or "," in key or key != key.strip() or not strict_json.is_clean_text(key):
            raise GraphRefused(f"the task {task.label} has {key[:64]!r} for a key")
    if ALL_TASKDATA in task.requires and not task.dependencies:
        raise GraphRefused(f"the task {task.label} requires {ALL_TASKDATA} and depends on no task")
    if task.retry_max < 0 or (task.timeout_seconds is not None and task.timeout_seconds <= 0):
        raise GraphRefused(f"the task {task.label} has a negative retrymax, or a timeout that is not above zero")


def _check_lengths(task: PlannedTask) -> None:
    texts = {
        "label": task.label,
        "cmd": task.cmd,
        "requires": ",".join(task.requires),
        "provides": ",".join(task.provides),
        "dependencies": ",".join(task.dependencies),
    }
    for name, text in texts.items():
        if len(text) > _LIMITS[name]:
            raise GraphRefused(f"the {name} of the task {task.label[:64]} is longer than {_LIMITS[name]} characters")


def is_handler(cmd: str) -> bool:
    """Tell whether a task's command names a handler, as against a task function."""
    return HANDLER.fullmatch(cmd) is not None
