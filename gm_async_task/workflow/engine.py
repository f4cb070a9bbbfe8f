"""Advances jobs by events: the end of one task decides, in the transaction that ends it, what follows.

Lock order: the row of the run (tbl_async_task), then the row of its job. Where a job ends by itself, its rows are ended
after it: two that meet so may deadlock, and `in_write` tries the whole transaction again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.engine import Connection

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks import store as async_store
from gm_async_task.tasks.followers import AfterCommit
from gm_async_task.tasks.models import tasks as async_tasks
from gm_async_task.tasks.ring import Queue
from gm_async_task.workflow import store
from gm_async_task.workflow.dispatch import Bell, Dispatch, ring_bells
from gm_async_task.workflow.graph import is_handler
from gm_async_task.workflow.notices import Notifier
from gm_async_task.workflow.outcomes import TaskEnd, read_end
from gm_async_task.workflow.params import RequiresFailed, resolve, saved_part
from gm_async_task.workflow.states import (
    LIVE,
    JobStatus,
    TaskState,
    TaskStatus,
    Verdict,
    backoff_seconds,
    find_ready,
    judge,
    may_try_again,
)
from gm_async_task.workflow.stats import Stat
from gm_async_task.workflow.store import JobRow, TaskRow
from gm_async_task.workflow.wire import parsed
from shared.database import DatabaseClock
from shared.task_api.models import ENDED
from shared.web import strict_json

log = structlog.get_logger(__name__)
JOB_ENDED = "The job that it was a part of has ended."


@dataclass
class Aftermath:
    """What is done once a transaction is committed."""

    queue: Queue
    notifier: Notifier
    bells: list[Bell] = field(default_factory=list)
    has_notices: bool = False

    def __call__(self) -> None:
        """Ring for what became ready, and have plugins told; whatever fails here the keeper repeats."""
        ring_bells(self.queue, self.bells)
        if self.has_notices:
            self.notifier.wake()


class JobEngine:
    """Moves jobs forward; a `Follower` of the task room. Every method is called inside a write transaction."""

    def __init__(self, settings: AsyncTaskSettings, clock: DatabaseClock, queue: Queue, notifier: Notifier) -> None:
        self._clock = clock
        self._queue = queue
        self._notifier = notifier
        self._dispatch = Dispatch(settings, clock)

    def begin(self, connection: Connection, job: JobRow) -> AfterCommit:
        """Give the first tasks of a job that was just created or retried to the workers."""
        after = self._aftermath()
        self._tell(connection, job, after)
        self._advance(connection, job, after)
        return after

    def on_started(self, connection: Connection, row: Any) -> bool:
        """See `Follower`; a task whose job is over is refused to the worker."""
        return store.note_started(connection, self._clock, row.id, row.workflow_task_id)

    def on_ended(self, connection: Connection, task_id: int) -> AfterCommit | None:
        """See `Follower`."""
        row = connection.execute(select(async_tasks).where(async_tasks.c.id == task_id)).one_or_none()
        if row is None or row.workflow_task_id is None or row.status not in ENDED:
            return None
        found = store.find_task_of_run(connection, row.id, row.workflow_task_id)
        job = store.lock_job(connection, found.job_id) if found is not None else None
        if job is None:
            return None
        task = store.get_tasks(connection, [row.workflow_task_id])[0]
        if task.task_status not in LIVE or (task.task_status, job.job_status) == (TaskStatus.PENDING, JobStatus.FAILED):
            return None  # heard of before, or withdrawn with its job
        after = self._aftermath()
        end = read_end(
            row.status,
            row.result,
            reason=row.reason,
            reason_code=row.reason_code,
            run_count=row.run_count,
            provides=store.split(task.task_provides),
        )
        if not is_handler(task.task_cmd):
            end.data[f"{task.task_label}_task_id"] = row.id  # what links to its files and rows are made of
        self._end_task(connection, job, task, end)
        if job.job_status == JobStatus.STARTED:
            self._advance(connection, job, after)
        else:
            self._free_locks_of_ended(connection, job.job_id)
        return after

    def time_out(self, connection: Connection, job_id: int) -> AfterCommit | None:
        """Fail a started job that is over time, whoever still works on it; None where it is not."""
        job = store.lock_job(connection, job_id)
        now = store.read_now(connection, self._clock)
        if job is None or job.job_status != JobStatus.STARTED or job.deadline >= now:
            return None
        after = self._aftermath()
        self._withdraw(connection, job_id, (TaskStatus.STARTED,))
        for state in store.list_states(connection, job_id):
            if state.status is TaskStatus.STARTED:
                values = {"task_status": TaskStatus.FAILED.value, "ret_stat": Stat.JOB_EXE_TIMEOUT.value}
                store.change_task(connection, self._clock, state.task_id, **values)
        self._end_job(connection, job, Verdict(JobStatus.FAILED, Stat.JOB_EXE_TIMEOUT), after)
        return after

    def retry(self, connection: Connection, job: JobRow) -> AfterCommit:
        """Start a failed job again: what failed or was withdrawn waits anew, what has finished stays."""
        for task in store.list_states(connection, job.job_id):
            if task.status in (TaskStatus.FAILED, TaskStatus.PENDING):
                store.change_task(
                    connection,
                    self._clock,
                    task.task_id,
                    task_status=TaskStatus.WAITING.value,
                    task_retrycount=0,
                    task_cost=0.0,
                    ret_stat="",
                    ret_data=None,
                )
        now = self._clock.now()
        store.change_job(
            connection,
            self._clock,
            job.job_id,
            job_status=JobStatus.STARTED.value,
            ret_stat="",
            job_cost=0.0,
            s_time=now,
            e_time=now,
            deadline=self._clock.after(job.job_timeout),
        )
        return self.begin(connection, store.get_job(connection, job.job_id))

    def withdraw_all(self, connection: Connection, job_id: int) -> None:
        """End every run of a job that is being deleted; what still works is fenced off."""
        self._withdraw(connection, job_id, tuple(LIVE))

    def _advance(self, connection: Connection, job: JobRow, after: Aftermath) -> None:
        """Dispatch what is ready, again while a task fails for want of its parameters; end the job where it is over."""
        while True:
            states = store.list_states(connection, job.job_id)
            verdict = judge(states)
            if verdict is not None:
                after.bells.clear()
                self._end_job(connection, job, verdict, after)
                return
            if not self._dispatch_ready(connection, job, find_ready(states), states, after):
                break
        store.change_job(connection, self._clock, job.job_id, exe_id=job.exe_id + 1)

    def _dispatch_ready(
        self,
        connection: Connection,
        job: JobRow,
        ready: Sequence[TaskState],
        states: Sequence[TaskState],
        after: Aftermath,
    ) -> bool:
        """Give ready tasks to the workers; return True where one of them can't be given what it requires."""
        ids = {state.label: state.task_id for state in states}
        needed = {ids[name] for task in ready for name in task.dependencies} | {task.task_id for task in ready}
        rows = {row.task_id: row for row in store.get_tasks(connection, sorted(needed))} if needed else {}
        any_failed = False
        for state in ready:
            task = rows[state.task_id]
            results = [parsed(rows[each].ret_data) for each in sorted(ids[name] for name in state.dependencies)]
            try:
                params = _params_of(job, task, results)
            except RequiresFailed as error:
                self._fail(
                    connection, task, TaskEnd(Stat.TASK_REQUIRES, {"stat": Stat.TASK_REQUIRES, "msg": str(error)})
                )
                any_failed = True
            else:
                after.bells.append(self._dispatch.submit(connection, job, task, params))
        return any_failed

    def _end_task(self, connection: Connection, job: JobRow, task: TaskRow, end: TaskEnd) -> None:
        if end.stat == Stat.OK:
            self._finish(connection, job, task, end)
        elif job.job_status == JobStatus.STARTED and may_try_again(end.stat, task.task_retrycount, task.task_retrymax):
            self._try_again(connection, job, task, end)
        else:
            self._fail(connection, task, end)

    def _finish(self, connection: Connection, job: JobRow, task: TaskRow, end: TaskEnd) -> None:
        self._keep_end(connection, task, TaskStatus.FINISHED, end)
        if task.task_is_save and not store.has_later_save(connection, job.job_id, task.task_id):
            saved = strict_json.dumps(saved_part(end.data))
            store.change_job(connection, self._clock, job.job_id, ret_data=saved)

    def _try_again(self, connection: Connection, job: JobRow, task: TaskRow, end: TaskEnd) -> None:
        tries = task.task_retrycount + 1
        store.change_task(connection, self._clock, task.task_id, task_retrycount=tries, ret_stat=end.stat)
        self._dispatch.submit_later(connection, task, backoff_seconds(tries))
        log.info("job_task_tried_again", job_id=job.job_id, task_id=task.task_id, tries=tries, stat=end.stat)

    def _fail(self, connection: Connection, task: TaskRow, end: TaskEnd) -> None:
        self._keep_end(connection, task, TaskStatus.FAILED, end)
        log.warning("job_task_failed", job_id=task.job_id, task_id=task.task_id, stat=end.stat)

    def _keep_end(self, connection: Connection, task: TaskRow, status: TaskStatus, end: TaskEnd) -> None:
        now = store.read_now(connection, self._clock)
        began: datetime = task.s_time
        store.change_task(
            connection,
            self._clock,
            task.task_id,
            task_status=status.value,
            task_cost=max(0.0, (now - began).total_seconds()),
            ret_stat=str(end.stat),
            ret_data=strict_json.dumps(end.data),
        )

    def _end_job(self, connection: Connection, job: JobRow, verdict: Verdict, after: Aftermath) -> None:
        self._withdraw(connection, job.job_id, (TaskStatus.PENDING,))
        now = store.read_now(connection, self._clock)
        store.change_job(
            connection,
            self._clock,
            job.job_id,
            job_status=verdict.status.value,
            ret_stat=str(verdict.ret_stat),
            job_cost=max(0.0, (now - job.s_time).total_seconds()),
            e_time=now,
            exe_id=job.exe_id + 1,
        )
        self._free_locks_of_ended(connection, job.job_id)
        self._tell(connection, store.get_job(connection, job.job_id), after)
        log.info("job_ended", job_id=job.job_id, status=verdict.status.value, stat=str(verdict.ret_stat))

    def _withdraw(self, connection: Connection, job_id: int, statuses: tuple[TaskStatus, ...]) -> None:
        rows = store.list_runs(connection, job_id, [status.value for status in statuses])
        async_store.end_unfinished(connection, self._clock, rows, reason=JOB_ENDED, reason_code="job_ended")

    def _free_locks_of_ended(self, connection: Connection, job_id: int) -> None:
        """Free the locks of a job that is over, but not while one of its handlers still works under them."""
        if not any(state.status is TaskStatus.STARTED for state in store.list_states(connection, job_id)):
            store.free_locks(connection, job_id)

    def _tell(self, connection: Connection, job: JobRow, after: Aftermath) -> None:
        after.has_notices = self._notifier.keep(connection, job) or after.has_notices

    def _aftermath(self) -> Aftermath:
        return Aftermath(self._queue, self._notifier)


def _params_of(job: JobRow, task: TaskRow, results: list[dict[str, Any]]) -> dict[str, Any]:
    return resolve(
        parsed(task.task_params) if task.task_params is not None else None,
        store.split(task.task_requires),
        results,
        parsed(task.task_extra),
        parsed(job.job_extra),
    )
