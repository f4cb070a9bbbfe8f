"""What will come of a mark: asks the task service whether the task will run again at all."""

from __future__ import annotations

from collections.abc import Mapping

from shared.errors import InvalidField, PlatformError, TaskNotFound
from shared.task_api.client import TaskClient
from shared.task_api.models import Task, TaskStatus
from shared.task_api.transport import HttpTransport


class NeverRuns(Exception):
    """Why a mark would wait for ever, and what to mark instead, in sentences."""


def foretell_run(task_id: int, settings: Mapping[str, str]) -> str:
    """Say which run of a task would be profiled, or why nobody could be asked.

    Args:
        task_id: the task's id.
        settings: of the platform; its `GM_ASYNC_TASK_URL` and `GM_AUTH_KEY` are asked with.

    Raises:
        NeverRuns: there is no such task, or none of its runs is to come.
    """
    address, key = settings.get("GM_ASYNC_TASK_URL"), settings.get("GM_AUTH_KEY")
    if not address or not key:
        return "GM_ASYNC_TASK_URL and GM_AUTH_KEY aren't known here, so nobody was asked whether there is such a task."
    signed = settings.get("GM_SIGNED_CALLS", "off") != "off"
    try:
        task = TaskClient(HttpTransport(address, key, signed=signed)).get(task_id, without_input=True, brief=True)
    except (TaskNotFound, InvalidField) as error:  # the latter: no task can have that id
        raise NeverRuns(f"There is no task {task_id}.") from error
    except PlatformError as error:
        return f"{address} was asked whether there is such a task, in vain: {error}"
    return _of(task)


def _of(task: Task) -> str:
    if task.status == TaskStatus.SUBMITTED:
        return f"It waits to be run ({task.task_name})."
    began = "It runs" if task.status == TaskStatus.RUNNING else "It has ended"
    if not task.repeat:
        raise NeverRuns(
            f"{began} already, and a task that isn't repeatable is run once, which can't be profiled later. Have the "
            f"next run of its function profiled: gm profile task {task.task_name}"
        )
    if task.status == TaskStatus.RUNNING:
        return "It runs already, so this is for the run after: where this one is lost or handed back, or started again."
    return "It has ended, and is repeatable: this is for when somebody starts it again."
