"""What somebody who waits may be told: how many tasks are before theirs, and when it starts if all goes on as it does.

The order is that of the ids within a queue; brokers keep it but for retries. Where too little was started lately,
nothing is foretold.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from gm_async_task.tasks.models import tasks
from gm_async_task.tasks.store import TaskRow
from shared.database import DatabaseClock
from shared.task_api.models import TaskStatus

MOST_COUNTED = 1000
"""further back a place says no more than that it is far"""
PACE_SECONDS = 600.0
FEWEST_STARTS = 3
_FRESH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """The place of one submitted task."""

    ahead: int | None
    """tasks of its queue that were added before it and wait too; None: more than are counted"""
    starts_in_seconds: int | None
    """None where too little was started lately to tell"""


@dataclass(slots=True)
class WaitingRoom:
    """Tells places; how fast a queue moves is looked at every few seconds, whoever asks."""

    clock: DatabaseClock
    _paces: dict[str, tuple[float, float | None]] = field(default_factory=dict)

    def places(self, connection: Connection, rows: Iterable[TaskRow]) -> dict[int, Waiting]:
        """Return the places of those rows that wait in a queue, by task id."""
        waiting = [row for row in rows if row.status == TaskStatus.SUBMITTED and row.queue is not None]
        lines = {queue: _line(connection, queue) for queue in {row.queue for row in waiting}}
        return {row.id: self._place(connection, row, lines[row.queue]) for row in waiting}

    def _place(self, connection: Connection, row: TaskRow, line: list[int]) -> Waiting:
        ahead = bisect_left(line, row.id)
        if ahead >= MOST_COUNTED:
            return Waiting(None, None)
        pace = self._pace(connection, row.queue)
        return Waiting(ahead, None if pace is None else round((ahead + 1) * pace))

    def _pace(self, connection: Connection, queue: str) -> float | None:
        """Return the seconds between one start and the next of late."""
        looked_at, pace = self._paces.get(queue, (-_FRESH_SECONDS, None))
        if time.monotonic() - looked_at >= _FRESH_SECONDS:
            pace = _read_pace(connection, self.clock, queue)
            self._paces[queue] = (time.monotonic(), pace)
        return pace


def _line(connection: Connection, queue: str) -> list[int]:
    wanted = (tasks.c.status == int(TaskStatus.SUBMITTED)) & (tasks.c.queue == queue)
    return list(connection.scalars(select(tasks.c.id).where(wanted).order_by(tasks.c.id).limit(MOST_COUNTED)))


def _read_pace(connection: Connection, clock: DatabaseClock, queue: str) -> float | None:
    # By the index of figures alone, which begins with when tasks were added: those that waited longer don't count.
    statement = select(func.count(), func.min(tasks.c.start_time), clock.now().label("now")).where(
        tasks.c.creat_time > clock.after(-2 * PACE_SECONDS),
        tasks.c.queue == queue,
        tasks.c.start_time > clock.after(-PACE_SECONDS),
    )
    starts, first, now = connection.execute(statement).one()
    if starts < FEWEST_STARTS:
        return None
    return _seconds(first, now) / float(starts)


def _seconds(first: datetime, now: datetime) -> float:
    return max((now - first).total_seconds(), 0.0)
