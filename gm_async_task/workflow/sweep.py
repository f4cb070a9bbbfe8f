"""What the keeper does for jobs: ends what is over time, hears ends that went unheard, has plugins told, purges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.engine import Connection, Engine

from gm_async_task.tasks.followers import AfterCommit
from gm_async_task.workflow import due, store
from gm_async_task.workflow.engine import JobEngine
from gm_async_task.workflow.notices import Notifier
from shared.database import DatabaseClock, in_read, in_write, utc_after

log = structlog.get_logger(__name__)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SweptJobs:
    """How many jobs and tasks one sweep touched."""

    jobs_timed_out: int = 0
    ends_heard: int = 0
    jobs_purged: int = 0


class JobSweeper:
    """Keeps the promise that no job stays started past its time; any number of keepers may run."""

    def __init__(
        self, engine: Engine, clock: DatabaseClock, job_engine: JobEngine, notifier: Notifier, retention_days: int
    ) -> None:
        """Delete jobs that ended longer ago than `retention_days`; with 0 keep all."""
        self._retention_days = retention_days
        self._engine = engine
        self._clock = clock
        self._jobs = job_engine
        self._notifier = notifier

    def sweep(self) -> SweptJobs:
        """Do everything that is due now.

        Raises:
            Unavailable: the database is away.
        """
        heard = sum(self._hear(row_id) for row_id in self._read(lambda c: due.list_unheard(c, _AT_ONCE)))
        overdue = self._read(lambda c: due.list_overdue(c, self._clock, _AT_ONCE))
        timed_out = sum(self._time_out(job_id) for job_id in overdue)
        if self._notifier.has_due():
            self._notifier.wake()
        return SweptJobs(jobs_timed_out=timed_out, ends_heard=heard, jobs_purged=self._purge())

    def _purge(self) -> int:
        if not self._retention_days:
            return 0
        before = self._clock.after(-self._retention_days * 86_400)
        old = self._read(lambda c: due.list_ended_before(c, before, _AT_ONCE))
        return sum(self._delete(job_id, before) for job_id in old)

    def _delete(self, job_id: int, before: utc_after) -> bool:
        def delete(connection: Connection) -> bool:
            if store.lock_job(connection, job_id) is None or not due.has_ended_before(connection, job_id, before):
                return False  # somebody deleted it, or tried it again
            self._jobs.withdraw_all(connection, job_id)
            store.delete_job(connection, job_id)
            self._notifier.forget_job(connection, job_id)
            return True

        return in_write(self._engine, delete)

    def _time_out(self, job_id: int) -> bool:
        timed_out = self._act(lambda connection: self._jobs.time_out(connection, job_id))
        if timed_out:
            log.warning("job_timed_out", job_id=job_id)
        return timed_out

    def _hear(self, row_id: int) -> bool:
        heard = self._act(lambda connection: self._jobs.on_ended(connection, row_id))
        if heard:
            log.warning("end_heard_late", async_task_id=row_id)
        return heard

    def _act(self, work: Callable[[Connection], AfterCommit | None]) -> bool:
        after = in_write(self._engine, work)
        if after is not None:
            after()
        return after is not None

    def _read(self, query: Callable[[Connection], Sequence[int]]) -> list[int]:
        return list(in_read(self._engine, query))
