"""Task functions that only a newer worker of a test has."""

from __future__ import annotations

from typing import Any

from gm_task.context import TaskContext
from gm_task.registry import task_function


@task_function
def triple(context: TaskContext) -> Any:
    """Return three times the number given."""
    return {"tripled": context.input["n"] * 3}
