"""Advances jobs by events: the end of one task decides, in the transaction that ends it, what follows.

Lock order: the row of the run (tbl_async_task), then the row of its job. Where a job ends by itself, its rows are ended
after it: two that meet so may deadlock, and `in_write` tries the whole transaction again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.engine import Connection

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks.followers import AfterCommit
from gm_async_task.tasks.ring import Queue
from gm_async_task.workflow import store
from gm_async_task.workflow.advance import Advance
from gm_async_task.workflow.dispatch import ring_bells
from gm_async_task.workflow.graph import is_handler
from gm_async_task.workflow.notices import Notifier
from gm_async_task.workflow.outcomes import TaskEnd, read_end
from gm_async_task.workflow.params import saved_part
from gm_async_task.workflow.states import LIVE, JobStatus, TaskStatus, Verdict, backoff_seconds, may_try_again
from gm_async_task.workflow.stats import Stat
from gm_async_task.workflow.store import EndedRun, JobRow, TaskRow
from gm_async_task.workflow.turn import Turn
from shared.database import DatabaseClock
from shared.web import strict_json

log = structlog.get_logger(__name__)


class JobEngine:
    """Moves jobs forward; a `Follower` of the task room. Every method is called inside a write transaction."""

    def __init__(self, settings: AsyncTaskSettings, clock: DatabaseClock, queue: Queue, notifier: Notifier) -> None:
        self._clock = clock
        self._queue = queue
        self._notifier = notifier
        self._advance = Advance(settings, clock, notifier)

    def begin(self, connection: Connection, job: JobRow, now: datetime) -> AfterCommit:
        """Give the first tasks of a job that was just created or retried to the workers."""
        turn = Turn(connection, self._clock, job, now)
        self._advance.tell(turn)
        self._advance.go_on(turn)
        return self._aftermath(turn)

    def on_started(self, connection: Connection, row: Any) -> bool:
        """See `Follower`; a task whose job is over is refused to the worker."""
        return store.note_started(connection, self._clock, row.id, row.workflow_task_id)

    def on_ended(self, connection: Connection, task_id: int) -> AfterCommit | None:
        """See `Follower`."""
        job = store.lock_job_of_run(connection, task_id)
        run = None if job is None else store.find_ended_run(connection, self._clock, task_id)
        if job is None or run is None or not _is_awaited(run, job):
            return None
        turn = Turn(connection, self._clock, job, run.now)
        if _is_over_time(
            job, run.now
        ):  # the keeper was about to say so: what comes later than the time changes nothing
            return self._end_over_time(turn)
        self._end_task(turn, run, _end_of(run))
        if job.job_status == JobStatus.STARTED:
            self._advance.go_on(turn)
        else:
            self._advance.free_locks_of_ended(turn)
        return self._aftermath(turn)

    def time_out(self, connection: Connection, job_id: int) -> AfterCommit | None:
        """Fail a started job that is over time, whoever still works on it; None where it is not."""
        job = store.lock_job(connection, job_id)
        now = store.read_now(connection, self._clock)
        if job is None or not _is_over_time(job, now):
            return None
        return self._end_over_time(Turn(connection, self._clock, job, now))

    def retry(self, connection: Connection, job: JobRow) -> AfterCommit:
        """Start a failed job again: what failed or was withdrawn waits anew, what has finished stays."""
        now = store.read_now(connection, self._clock)
        turn = Turn(connection, self._clock, job, now)
        waiting = {"task_status": TaskStatus.WAITING.value, "task_retrycount": 0, "task_cost": 0.0}
        for task in store.list_states(connection, job.job_id):
            if task.status in (TaskStatus.FAILED, TaskStatus.PENDING):
                turn.change_task(task.task_id, **waiting, ret_stat="", ret_data=None)
        deadline = now + timedelta(seconds=job.job_timeout)
        turn.change_job(
            job_status=JobStatus.STARTED.value, ret_stat="", job_cost=0.0, s_time=now, e_time=now, deadline=deadline
        )
        return self.begin(connection, store.get_job(connection, job.job_id), now)

    def withdraw_all(self, connection: Connection, job_id: int) -> None:
        """End every run of a job that is being deleted; what still works is fenced off."""
        self._advance.withdraw(connection, job_id)

    def _end_over_time(self, turn: Turn) -> AfterCommit:
        job_id = turn.job.job_id
        self._advance.withdraw(turn.connection, job_id)  # from here on no worker claims any of them
        for state in store.list_states(turn.connection, job_id):
            if state.status is TaskStatus.STARTED:
                turn.change_task(
                    state.task_id, task_status=TaskStatus.FAILED.value, ret_stat=Stat.JOB_EXE_TIMEOUT.value
                )
        verdict = Verdict(JobStatus.FAILED, Stat.JOB_EXE_TIMEOUT)
        self._advance.end_job(turn, verdict, store.list_states(turn.connection, job_id))
        return self._aftermath(turn)

    def _end_task(self, turn: Turn, task: EndedRun, end: TaskEnd) -> None:
        if end.stat == Stat.OK:
            self._finish(turn, task, end)
        elif turn.job.job_status == JobStatus.STARTED and may_try_again(
            end.stat, task.task_retrycount, task.task_retrymax
        ):
            self._try_again(turn, task, end)
        else:
            self._advance.end_task(turn, task, TaskStatus.FAILED, end)

    def _finish(self, turn: Turn, task: TaskRow, end: TaskEnd) -> None:
        self._advance.end_task(turn, task, TaskStatus.FINISHED, end)
        if task.task_is_save and not store.has_later_save(turn.connection, turn.job.job_id, task.task_id):
            turn.change_job(ret_data=strict_json.dumps(saved_part(end.data)))

    def _try_again(self, turn: Turn, task: TaskRow, end: TaskEnd) -> None:
        tries = task.task_retrycount + 1
        turn.change_task(task.task_id, task_retrycount=tries, ret_stat=str(end.stat))
        self._advance.dispatch.submit_later(turn.connection, task, backoff_seconds(tries))
        log.info("job_task_tried_again", job_id=turn.job.job_id, task_id=task.task_id, tries=tries, stat=end.stat)

    def _aftermath(self, turn: Turn) -> AfterCommit:
        """Return what is done once the turn is committed; whatever fails then the keeper repeats."""

        def act() -> None:
            ring_bells(self._queue, turn.bells)
            if turn.has_notices:
                self._notifier.wake()

        return act


def _is_over_time(job: JobRow, now: datetime) -> bool:
    over: bool = job.job_status == JobStatus.STARTED and job.deadline < now
    return over


def _is_awaited(run: EndedRun, job: JobRow) -> bool:
    """Tell whether a task's end is news: it was not heard of before, nor withdrawn with its job."""
    withdrawn = run.task_status == TaskStatus.PENDING and job.job_status == JobStatus.FAILED
    return run.task_status in LIVE and not withdrawn


def _end_of(run: EndedRun) -> TaskEnd:
    end = read_end(
        run.run_status,
        run.run_result,
        reason=run.run_reason,
        reason_code=run.run_reason_code,
        run_count=run.run_run_count,
        provides=store.split(run.task_provides),
    )
    if not is_handler(run.task_cmd):
        end.data[f"{run.task_label}_task_id"] = run.run_id  # what links to its files and rows are made of
    return end
