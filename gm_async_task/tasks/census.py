"""How many tasks wait and run now, and for how long the oldest: one query over open tasks, none over those that ended.

Its cost grows with the open tasks alone (index `status`, ...), and it is asked so seldom that it takes at most a
twentieth of one connection's time, however often anybody looks.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.engine import Engine

from gm_async_task.tasks.meter import NO_QUEUE
from gm_async_task.tasks.models import tasks
from gm_async_task.tasks.store import TaskRow
from shared.database import DatabaseClock, in_read
from shared.deadline import Inquiry
from shared.errors import Unavailable
from shared.metrics import table
from shared.metrics.exposition import Reading
from shared.task_api.models import TaskStatus

DEADLINE_SECONDS = 1.5
PING_SECONDS = 0.5
FRESH_SECONDS = 1.0
_SHARE = 20
_SUBMITTED, _RUNNING = int(TaskStatus.SUBMITTED), int(TaskStatus.RUNNING)
_MOST_QUEUES = table.MOST_VALUES


@dataclass(slots=True)
class QueueCensus:
    """The open tasks of one queue; ages in seconds."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("submitted", "running", "stop_requested"), 0))
    oldest_submitted: float = 0.0
    oldest_run: float = 0.0
    doorbells: int = 0


class Census:
    """Answers scrapes; what it knows is kept for a second, or for twenty times what it took to ask."""

    def __init__(self, engine: Engine, clock: DatabaseClock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._monotonic = monotonic
        self._inquiry = Inquiry(self._count)
        self._ping = Inquiry(lambda: in_read(engine, lambda connection: connection.execute(select(1)).all()))
        self._known = [Reading(table.DATABASE_UP, 1)]
        self._fresh_until = 0.0

    def read_gauges(self) -> list[Reading]:
        """Return the gauges of the task table; only that the database is away, where it is. Takes 2 s at most.

        Where counting takes longer than that, as with a backlog of hundreds of thousands, they are those of before.
        """
        if self._monotonic() < self._fresh_until:
            return self._known
        try:
            return self._inquiry.get(DEADLINE_SECONDS)
        except Unavailable:
            return [Reading(table.DATABASE_UP, 0)]
        except TimeoutError:
            return self._known if self._answers() else [Reading(table.DATABASE_UP, 0)]

    def _answers(self) -> bool:
        try:
            self._ping.get(PING_SECONDS)
        except (Unavailable, TimeoutError):
            return False
        return True

    def _count(self) -> list[Reading]:
        began = self._monotonic()
        rows = in_read(self._engine, lambda connection: connection.execute(_open_tasks(self._clock)).all())
        self._known = [Reading(table.DATABASE_UP, 1), *_to_readings(_by_queue(rows))]
        ended = self._monotonic()
        self._fresh_until = ended + max(FRESH_SECONDS, _SHARE * (ended - began))
        return self._known


def _open_tasks(clock: DatabaseClock) -> Select[Any]:
    outstanding = and_(tasks.c.dispatch_count > 0, tasks.c.dispatch_at > clock.now())
    return (
        select(
            tasks.c.status,
            tasks.c.queue,
            tasks.c.stop_requested,
            func.count().label("tasks"),
            func.min(tasks.c.modify_time).label("since"),
            func.min(tasks.c.run_start).label("run_start"),
            func.sum(case((outstanding, 1), else_=0)).label("doorbells"),
            clock.now().label("now"),
        )
        .where(tasks.c.status.in_([_SUBMITTED, _RUNNING]))
        .group_by(tasks.c.status, tasks.c.queue, tasks.c.stop_requested)
    )


def _by_queue(rows: Sequence[TaskRow]) -> dict[str, QueueCensus]:
    queues: defaultdict[str, QueueCensus] = defaultdict(QueueCensus)
    for row in sorted(rows, key=lambda row: -row.tasks):
        name = row.queue or NO_QUEUE
        queue = queues[name if name in queues or len(queues) < _MOST_QUEUES else table.OTHER]
        if row.status == _SUBMITTED:
            queue.counts["submitted"] += row.tasks
            queue.doorbells += int(row.doorbells)
            queue.oldest_submitted = max(queue.oldest_submitted, _age(row.since, row.now))
        else:
            queue.counts["stop_requested" if row.stop_requested else "running"] += row.tasks
            queue.oldest_run = max(queue.oldest_run, _age(row.run_start, row.now))
    return queues


def _to_readings(queues: dict[str, QueueCensus]) -> list[Reading]:
    readings = []
    for name, queue in queues.items():
        label = {"queue": name}
        readings += [Reading(table.TASKS, count, {"status": status, **label}) for status, count in queue.counts.items()]
        readings += [
            Reading(table.OLDEST_SUBMITTED_SECONDS, queue.oldest_submitted, label),
            Reading(table.OLDEST_RUN_SECONDS, queue.oldest_run, label),
            Reading(table.DOORBELLS_OUTSTANDING, queue.doorbells, label),
        ]
    return readings


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
