"""The smallest tasks: what they cost is what the platform costs."""

from __future__ import annotations

import time

from gm_task.context import TaskContext
from gm_task.registry import task_function

NOTHING = "benchmarks.small_tasks.do_nothing"
SLEEP = "benchmarks.small_tasks.sleep_50_ms"


@task_function
def do_nothing(_context: TaskContext) -> None:
    """Be done at once."""


@task_function
def sleep_50_ms(_context: TaskContext) -> None:
    """Wait as for somebody else's answer."""
    time.sleep(0.05)
