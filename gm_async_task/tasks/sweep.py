"""What the keeper does to tasks in one sweep: ring, rescue, end, purge.

Every change is guarded by the state it was decided on, so any number of keepers may sweep at once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.engine import Connection, Engine

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.hearing import Hearing
from gm_async_task.tasks import history, store
from gm_async_task.tasks.followers import Endings, Follower, NoFollower, in_followed_write
from gm_async_task.tasks.meter import Ended, TaskMeter, end_of
from gm_async_task.tasks.models import tasks
from gm_async_task.tasks.ring import Queue, Ringer
from gm_async_task.tasks.runs import CLOSED, lose_run
from gm_async_task.tasks.store import TaskRow
from shared.database import DatabaseClock, in_read, in_write
from shared.task_api.commands import TaskKey
from shared.task_api.models import ENDED, TaskStatus

log = structlog.get_logger(__name__)

_AT_ONCE = 500
_SEEK_NEVER_STARTED_SECONDS = 60.0
"""all that waits must be looked at for what waits for too long, which is a matter of days"""
_SUBMITTED = int(TaskStatus.SUBMITTED)
_RUNNING = int(TaskStatus.RUNNING)
RUN_TIMEOUT = "It ran longer than its limit of {seconds:.0f} seconds and was ended."
NEVER_STARTED = "No worker started it within {seconds:.0f} seconds."


@dataclass(frozen=True, slots=True)
class Swept:
    """How many tasks one sweep touched."""

    rung: int = 0
    rescued: int = 0
    ended: int = 0
    purged: int = 0


class Sweeper:
    """Keeps the promise that every task is running, ended or explained."""

    def __init__(
        self,
        engine: Engine,
        settings: AsyncTaskSettings,
        clock: DatabaseClock,
        queue: Queue,
        meter: TaskMeter | None = None,
        *,
        follower: Follower | None = None,
        hearing: Hearing | None = None,
    ) -> None:
        self._hearing = hearing
        self._seek_never_started_at = time.monotonic()
        self._follower = follower or NoFollower()
        self._meter = meter or TaskMeter()
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._ringer = Ringer(engine, settings, clock, queue)

    def sweep(self) -> Swept:
        """Do everything that is due now.

        Raises:
            Unavailable: the database is away.
        """
        leases_count = self._hearing is None or self._hearing.counts()
        rescued = sum(self.rescue(row) for row in self.find_lost_runs()) if leases_count else 0
        ended = self._end_overdue_runs() + self._end_unanswered_stops() + self._end_never_started()
        return Swept(rung=self._ringer.ring(), rescued=rescued, ended=ended, purged=self._purge())

    def find_lost_runs(self) -> Sequence[TaskRow]:
        """Return id and run_count of the runs that were not heard of within their lease."""
        lost = select(tasks.c.id, tasks.c.run_count).where(
            tasks.c.status == _RUNNING, tasks.c.lease_until < self._clock.now()
        )
        return self._read_some(lost)

    def rescue(self, candidate: TaskRow) -> bool:
        """Submit or end the task of a lost run; False where it was heard of since."""

        def rescue(connection: Connection, endings: Endings) -> tuple[bool, Ended | None]:
            row = store.get_state(connection, TaskKey(task_id=candidate.id), lock=True, clock=self._clock)
            if row.status != _RUNNING or row.run_count != candidate.run_count or row.lease_until >= row.now:
                return False, None
            ended = lose_run(connection, self._clock, row, self._settings.max_runs)
            endings.note(row.id)
            return True, ended

        rescued, ended = in_followed_write(self._engine, self._follower, rescue)
        if rescued:
            self._meter.released(ended, lost=True)
            log.warning("run_lost", task_id=candidate.id, run_count=candidate.run_count)
        return rescued

    def _end_overdue_runs(self) -> int:
        """End runs that are over their start-to-close limit, however lively their heartbeat is."""
        running = select(*self._run_columns(), tasks.c.run_seconds).where(tasks.c.status == _RUNNING)
        rows = in_read(self._engine, lambda connection: connection.execute(running).all())
        overdue = [row for row in rows if row.run_start + timedelta(seconds=row.run_seconds) < row.now]
        return sum(
            self._end(row, reason=RUN_TIMEOUT.format(seconds=row.run_seconds), reason_code="run_timeout")
            for row in overdue
        )

    def _end_unanswered_stops(self) -> int:
        """End runs that were asked to stop and did not within their grace time."""
        unanswered = select(*self._run_columns(), tasks.c.stop_reason).where(
            tasks.c.status == _RUNNING, tasks.c.stop_requested.is_(True), tasks.c.stop_until < self._clock.now()
        )
        return sum(
            self._end(row, reason=row.stop_reason or CLOSED, reason_code="closed")
            for row in self._read_some(unanswered)
        )

    def _end_never_started(self) -> int:
        """End what nobody started in time; looked for once a minute, and at once again while more was found."""
        limit = self._settings.submitted_seconds
        if time.monotonic() < self._seek_never_started_at:
            return 0
        old = select(*self._run_columns()).where(
            tasks.c.status == _SUBMITTED, tasks.c.queue.is_not(None), tasks.c.modify_time < self._clock.after(-limit)
        )
        outcome = {"reason": NEVER_STARTED.format(seconds=limit), "reason_code": "never_started"}
        rows = self._read_some(old)

        def end(row: TaskRow) -> bool:
            def end_it(connection: Connection, endings: Endings) -> bool:
                ended = store.end_submitted(connection, self._clock, row.id, **outcome)
                endings.note(row.id)
                return ended

            # In a transaction of its own: what an end entails locks further rows.
            return in_followed_write(self._engine, self._follower, end_it)

        ended = [row for row in rows if end(row)]
        if len(rows) < _AT_ONCE:
            self._seek_never_started_at = time.monotonic() + min(_SEEK_NEVER_STARTED_SECONDS, limit / 10)
        for row in ended:
            self._meter.ended(end_of(row, TaskStatus.FAILED, outcome["reason_code"]))
        return len(ended)

    def _end(self, row: TaskRow, **outcome: Any) -> bool:
        def end(connection: Connection, endings: Endings) -> bool:
            clock = self._clock
            ended = store.end_run(connection, clock, row.id, row.run_count, TaskStatus.FAILED, **outcome)
            endings.note(row.id)
            return ended

        ended = in_followed_write(self._engine, self._follower, end)
        if ended:
            self._meter.ended(end_of(row, TaskStatus.FAILED, outcome["reason_code"]))
            log.warning("run_ended_by_keeper", task_id=row.id, reason_code=outcome["reason_code"])
        return ended

    def _run_columns(self) -> list[ColumnElement[Any]]:
        columns = (tasks.c.id, tasks.c.name, tasks.c.queue, tasks.c.status, tasks.c.run_count, tasks.c.run_start)
        return [*columns, self._clock.now().label("now")]

    def _purge(self) -> int:
        if not self._settings.retention_days:
            return 0
        before = self._clock.after(-self._settings.retention_days * 86_400)
        old = select(tasks.c.id).where(tasks.c.status.in_([int(status) for status in ENDED]), tasks.c.end_time < before)
        ids = [row.id for row in self._read_some(old)]
        if not ids:
            return 0

        def purge(connection: Connection) -> int:
            # One that was started again meanwhile stays, with what is known of its runs.
            still = connection.execute(old.where(tasks.c.id.in_(ids)).with_for_update()).scalars().all()
            history.forget(connection, still)
            return connection.execute(delete(tasks).where(tasks.c.id.in_(still))).rowcount

        return in_write(self._engine, purge)

    def _read_some(self, query: Select[Any]) -> Sequence[TaskRow]:
        return in_read(self._engine, lambda connection: connection.execute(query.limit(_AT_ONCE)).all())
