"""Rings the doorbell for tasks that were added with a queue and not started: the broker may have lost the first ring.

A ring is repeated with growing pauses, within a window of unanswered rings per broker queue, so that a long backlog
does not fill the broker. A ring too many is harmless: the start's compare-and-set refuses it. Bells that a worker
gave back, as it lacks the function, are rung again beside the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import structlog
from sqlalchemy import ColumnElement, Row, and_, func, not_, select, update
from sqlalchemy.engine import Connection, Engine

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks.models import tasks
from gm_async_task.tasks.store import TaskRow, in_line
from shared.database import DatabaseClock, in_read, in_write
from shared.errors import Unavailable
from shared.task_api.lanes import rung_queue
from shared.task_api.models import TaskStatus

log = structlog.get_logger(__name__)

_SUBMITTED = int(TaskStatus.SUBMITTED)
_QUEUES_TO_GIVE_UP = 2


class Queue(Protocol):
    """Who rings the doorbell."""

    def send_task(
        self,
        task_name: str,
        args: list[int],
        queue: str,
        *,
        run_count: int = 0,
        request_id: str | None = None,
    ) -> None:
        """Send one message.

        Raises:
            Unavailable: the broker is away.
        """
        ...


class Ringer:
    """Sends what is due to the broker and notes when it is due again."""

    def __init__(self, engine: Engine, settings: AsyncTaskSettings, clock: DatabaseClock, queue: Queue) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._queue = queue

    def ring(self) -> int:
        """Ring for what was added with a queue and not started."""
        rung = failed = 0
        for line in self._lines_due():
            queue = rung_queue(line.queue, line.lane)
            try:
                for row in self._due(line):
                    rung += self._ring_for(row, queue)
            except Unavailable as error:
                log.warning("ring_failed", queue=queue, problem=str(error))
                failed += 1
            if failed == _QUEUES_TO_GIVE_UP:
                break  # it is the broker, not one queue
        return rung

    def _ring_for(self, row: TaskRow, queue: str) -> bool:
        if not self._mark_rung(row):
            return False
        try:
            self._queue.send_task(
                row.name, args=[row.id], queue=queue, run_count=row.run_count, request_id=row.request_id
            )
        except Unavailable:
            self._unmark_rung(row)
            raise
        return True

    def _lines_due(self) -> Sequence[Row[Any]]:
        """Return the queue and lane of what is due.

        Grouped as the index `lines` is: MariaDB then reads one entry of each line, SQLite that index alone.
        """
        line = (tasks.c.status, tasks.c.lane, tasks.c.queue)
        first_is_due = func.min(tasks.c.dispatch_at) <= self._clock.now()
        waiting = select(tasks.c.queue, tasks.c.lane).where(tasks.c.status == _SUBMITTED)
        query = waiting.group_by(*line).having(tasks.c.queue.is_not(None), first_is_due)
        return in_read(self._engine, lambda connection: connection.execute(query).all())

    def _due(self, line: Row[Any]) -> Sequence[TaskRow]:
        """Return the oldest tasks to ring for, as many as the queue's window of unanswered doorbells has room for.

        Those handed back come first and need no room: others must not keep them from the worker that knows them.
        """
        of_line = in_line(line.queue, line.lane)
        handed_back = and_(tasks.c.refused_count > 0, tasks.c.dispatch_count == 0)
        columns = (tasks.c.id, tasks.c.name, tasks.c.run_count, tasks.c.request_id, tasks.c.dispatch_count)
        due = select(*columns).where(of_line, *self._is_due()).order_by(tasks.c.id)
        waiting = select(func.count()).where(
            tasks.c.status == _SUBMITTED,
            of_line,
            tasks.c.dispatch_at > self._clock.now(),
            tasks.c.dispatch_count > 0,
        )

        def read(connection: Connection) -> Sequence[TaskRow]:
            window = self._settings.ring_window
            first = connection.execute(due.where(handed_back).limit(window)).all()
            room = window - connection.execute(waiting).scalar_one()
            return [*first, *(connection.execute(due.where(not_(handed_back)).limit(room)) if room > 0 else [])]

        return in_read(self._engine, read)

    def _is_due(self) -> tuple[ColumnElement[bool], ...]:
        return tasks.c.status == _SUBMITTED, tasks.c.queue.is_not(None), tasks.c.dispatch_at <= self._clock.now()

    def _mark_rung(self, row: TaskRow) -> bool:
        """Take the task for ringing, and say when it is due again; False where another keeper was first."""
        wait = min(
            self._settings.ring_after_seconds * 2 ** min(row.dispatch_count, 16),
            self._settings.ring_at_most_every_seconds,
        )
        return self._set_dispatch(row.id, row.dispatch_count, row.dispatch_count + 1, wait)

    def _unmark_rung(self, row: TaskRow) -> None:
        self._set_dispatch(row.id, row.dispatch_count + 1, row.dispatch_count, 0)

    def _set_dispatch(self, task_id: int, count: int, new_count: int, wait_seconds: float) -> bool:
        statement = (
            update(tasks)
            .where(tasks.c.id == task_id, tasks.c.status == _SUBMITTED, tasks.c.dispatch_count == count)
            .values(dispatch_at=self._clock.after(wait_seconds), dispatch_count=new_count)
        )
        return in_write(self._engine, lambda connection: connection.execute(statement).rowcount == 1)
