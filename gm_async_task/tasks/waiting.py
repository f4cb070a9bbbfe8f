"""What somebody who waits may be told: how many tasks are before theirs, and when it starts if all goes on as it does.

A line is a lane of a queue, as each lane is rung for by itself and has workers of its own. The order is that of the ids
within a line; brokers keep it but for retries. Where too little was started lately, nothing is foretold.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.engine import Connection

from gm_async_task.tasks.models import tasks
from gm_async_task.tasks.store import TaskRow, in_line
from shared.database import DatabaseClock
from shared.task_api.models import MOST_AHEAD, TaskStatus

Line = tuple[str, str | None]
"""a queue and the lane of it"""

PACE_SECONDS = 600.0
FEWEST_STARTS = 3
_FRESH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """The place of one submitted task."""

    ahead: int | None
    """tasks of its line that were added before it and wait too; None: MOST_AHEAD or more"""
    starts_in_seconds: int | None
    """None where too little was started lately to tell"""


@dataclass(slots=True)
class WaitingRoom:
    """Tells places; how fast a line moves is looked at every few seconds, whoever asks."""

    clock: DatabaseClock
    _paces: dict[Line, tuple[float, float | None]] = field(default_factory=dict)

    def places(self, connection: Connection, rows: Iterable[TaskRow]) -> dict[int, Waiting]:
        """Return the places of those rows that wait in a queue, by task id."""
        waiting = [row for row in rows if row.status == TaskStatus.SUBMITTED and row.queue is not None]
        lines = {line: _list_waiting(connection, line) for line in {_line_of(row) for row in waiting}}
        return {row.id: self._place(connection, row.id, _line_of(row), lines[_line_of(row)]) for row in waiting}

    def _place(self, connection: Connection, task_id: int, line: Line, waiting: list[int]) -> Waiting:
        ahead = bisect_left(waiting, task_id)
        if ahead >= MOST_AHEAD:
            return Waiting(None, None)
        pace = self._pace(connection, line)
        return Waiting(ahead, None if pace is None else round((ahead + 1) * pace))

    def _pace(self, connection: Connection, line: Line) -> float | None:
        """Return the seconds between one start and the next of late."""
        looked_at, pace = self._paces.get(line, (-_FRESH_SECONDS, None))
        if time.monotonic() - looked_at >= _FRESH_SECONDS:
            pace = _read_pace(connection, self.clock, line)
            self._paces[line] = (time.monotonic(), pace)
        return pace


def _line_of(row: TaskRow) -> Line:
    return row.queue, row.lane


def _list_waiting(connection: Connection, line: Line) -> list[int]:
    wanted = and_(tasks.c.status == int(TaskStatus.SUBMITTED), in_line(*line))
    return list(connection.scalars(select(tasks.c.id).where(wanted).order_by(tasks.c.id).limit(MOST_AHEAD)))


def _read_pace(connection: Connection, clock: DatabaseClock, line: Line) -> float | None:
    # By the index of figures alone, which begins with when tasks were added: those that waited longer don't count.
    statement = select(func.count(), func.min(tasks.c.start_time), clock.now().label("now")).where(
        tasks.c.creat_time > clock.after(-2 * PACE_SECONDS),
        in_line(*line),
        tasks.c.start_time > clock.after(-PACE_SECONDS),
    )
    starts, first, now = connection.execute(statement).one()
    if starts < FEWEST_STARTS:
        return None
    return _seconds(first, now) / float(starts)


def _seconds(first: datetime, now: datetime) -> float:
    return max((now - first).total_seconds(), 0.0)
