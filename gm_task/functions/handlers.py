"""The task function that runs a handler for a task of a workflow job."""

from __future__ import annotations

from gm_task import retstat
from gm_task.context import TaskContext
from gm_task.handling import Request
from gm_task.registry import task_function
from shared.task_api.models import Outcome, TaskStatus
from shared.task_api.run import RunFailed


@task_function
def run_handler(context: TaskContext) -> Outcome:
    """Call the handler that the input names; what it raises ends the task as any function's exception does."""
    match context.input:
        case {"handler": str(path), "params": dict(params), "req": dict(req)}:
            request = Request(**req, attempt=context.run_count, context=context)
        case _:
            raise RunFailed("The task's input names no handler.", "bad_input")
    answer = context.handlers.call(path, request, params)
    if answer.stat == retstat.OK:
        return Outcome(result=answer.to_json())
    reason = f"{path}: {answer.stat} {answer.data.get('msg', '')}".strip()
    return Outcome(TaskStatus.FAILED, answer.to_json(), reason, "handler_failed")
