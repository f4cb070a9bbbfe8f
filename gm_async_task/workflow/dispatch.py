"""Gives a job's task to the workers: one row of tbl_async_task for its whole life, submitted anew for each try.

So its id, which effects are keyed by, stays the same, and its run_count is the number of the attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.engine import Connection

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks import store as async_store
from gm_async_task.tasks.ring import Queue
from gm_async_task.workflow import store
from gm_async_task.workflow.graph import is_handler
from gm_async_task.workflow.states import TaskStatus
from gm_async_task.workflow.store import JobRow, TaskRow
from shared.context import new_id
from shared.database import DatabaseClock
from shared.errors import Unavailable
from shared.task_api.models import TaskType
from shared.web import strict_json

log = structlog.get_logger(__name__)
NO_STATION = "-"
"""owns the rows of jobs whose namespace is no station's id"""
MAX_STATION_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Bell:
    """A message that is sent once its transaction is committed."""

    task_id: int
    name: str
    queue: str
    run_count: int
    request_id: str


def ring_bells(queue: Queue, bells: Sequence[Bell]) -> None:
    """Send the messages; where the broker is away the keeper rings later."""
    for number, bell in enumerate(bells):
        try:
            queue.send_task(
                bell.name, args=[bell.task_id], queue=bell.queue, run_count=bell.run_count, request_id=bell.request_id
            )
        except Unavailable:
            log.warning("bells_not_rung", count=len(bells) - number, queue=bell.queue)
            return


class Dispatch:
    """Submits tasks; the caller holds the job's row."""

    def __init__(self, settings: AsyncTaskSettings, clock: DatabaseClock) -> None:
        self._settings = settings
        self._clock = clock

    def submit(self, connection: Connection, job: JobRow, task: TaskRow, params: dict[str, Any]) -> Bell:
        """Submit a ready task, and return the bell to ring for it."""
        reqid = new_id()
        name = self._settings.handler_function if is_handler(task.task_cmd) else task.task_cmd
        given = strict_json.dumps(_input(job, task, params, reqid))
        row_id, run_count = self._submit_row(connection, job, task, name, given)
        values = {"task_status": TaskStatus.PENDING.value, "task_reqid": reqid, "async_task_id": row_id}
        store.change_task(connection, self._clock, task.task_id, ret_stat="", ret_data=None, **values)
        return Bell(row_id, name, self._settings.workflow_queue, run_count, job.job_reqid)

    def submit_later(self, connection: Connection, task: TaskRow, seconds: float) -> None:
        """Submit a task that was tried before once more, in `seconds`; the keeper rings for it."""
        async_store.submit_again(connection, self._clock, task.async_task_id, dispatch_seconds=seconds)
        store.change_task(connection, self._clock, task.task_id, task_status=TaskStatus.PENDING.value)

    def _submit_row(self, connection: Connection, job: JobRow, task: TaskRow, name: str, given: str) -> tuple[int, int]:
        wait = self._settings.ring_after_seconds
        if task.async_task_id is not None:
            run_count = async_store.submit_again(
                connection, self._clock, task.async_task_id, dispatch_seconds=wait, input=given
            )
            if run_count is not None:
                return int(task.async_task_id), run_count
        row_id = async_store.insert_task(
            connection,
            self._clock,
            user_task_id=None,
            name=name,
            station_id=_station(job.job_namespace),
            input=given,
            repeat=True,  # a worker's death runs it again, as another attempt
            message_show=False,
            business_id=0,
            business_name=f"{job.job_type[:20]} {task.task_label[:40]}",
            type=int(TaskType.PROCESS),
            request_id=job.job_reqid,
            queue=self._settings.workflow_queue,
            dispatch_seconds=wait,
            run_seconds=float(task.task_timeout),
            workflow_task_id=task.task_id,
        )
        return row_id, 0


def _input(job: JobRow, task: TaskRow, params: dict[str, Any], reqid: str) -> dict[str, Any]:
    """Return what the worker is told: a task function its parameters, a handler who asks as well."""
    if not is_handler(task.task_cmd):
        return params
    req = {"reqid": reqid, "username": job.operator, "job_id": job.job_id, "task_id": task.task_id}
    return {"handler": task.task_cmd, "params": params, "req": req}


def _station(namespace: str) -> str:
    return namespace if len(namespace) <= MAX_STATION_CHARACTERS else NO_STATION
