"""Gives a task to the platform: adds it, naming its queue, then rings the worker's bell.

The bell may fail or the process may die between the two: the sweeper of gm_async_task rings for what was added
with a queue and never started, so the caller's answer doesn't depend on the broker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import structlog

from shared.context import current_request_id, new_id
from shared.errors import Unavailable
from shared.task_api.client import TaskClient
from shared.task_api.models import AddedTask, TaskType

log = structlog.get_logger(__name__)


class TaskQueue(Protocol):
    """What rings the workers' bell (`shared.broker.queue`)."""

    def send_task(
        self, task_name: str, args: Sequence[int], *, queue: str, run_count: int = 0, request_id: str | None = None
    ) -> None:
        """Send the message.

        Raises:
            Unavailable: the broker did not take it in time.
        """
        ...


class Dispatcher:
    """Adds tasks to one queue and rings for them."""

    def __init__(self, task_client: TaskClient, queue: TaskQueue, queue_name: str) -> None:
        self._task_client = task_client
        self._queue = queue
        self._queue_name = queue_name

    def submit(
        self,
        *,
        station_id: str,
        task_name: str,
        input: Any,
        user_task_id: str | None = None,
        type: int = TaskType.PROCESS,
        business_id: int = 0,
        business_name: str = "",
        repeat: bool = False,
        **options: Any,
    ) -> AddedTask:
        """Add a task and have it started; `options` are the other fields of `commands.AddTask`.

        Submitted again with the same `user_task_id` it is the same task. A broker that is away is no failure.

        Raises:
            Unavailable: the task service is away, nothing was accepted.
            IdReused: the user_task_id stands for another request.
        """
        added = self._task_client.create(
            station_id,
            task_name,
            input,
            user_task_id=user_task_id or new_id(),
            type=int(type),
            business_id=business_id,
            business_name=business_name,
            repeat=repeat,
            queue=self._queue_name,
            **options,
        )
        self._ring(task_name, added.task_id, added.queue or self._queue_name)
        return added

    def _ring(self, task_name: str, task_id: int, queue: str) -> None:
        try:
            self._queue.send_task(task_name, args=[task_id], queue=queue, run_count=0, request_id=current_request_id())
        except Unavailable:
            log.warning("bell_not_rung", task_id=task_id, queue=queue)
        else:
            log.info("task_submitted", task_id=task_id, task_name=task_name, queue=queue)
