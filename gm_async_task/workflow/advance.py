"""What follows in a job from what has become of its tasks: the next ones, or the job's own end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy.engine import Connection

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks import store as async_store
from gm_async_task.workflow import lock_store, store
from gm_async_task.workflow.dispatch import Dispatch
from gm_async_task.workflow.notices import Notifier
from gm_async_task.workflow.outcomes import TaskEnd
from gm_async_task.workflow.params import RequiresFailed, resolve
from gm_async_task.workflow.states import LIVE, TaskState, TaskStatus, Verdict, find_ready, judge
from gm_async_task.workflow.stats import Stat
from gm_async_task.workflow.store import TaskRow
from gm_async_task.workflow.turn import Turn
from gm_async_task.workflow.wire import parsed
from shared.database import DatabaseClock
from shared.web import strict_json

log = structlog.get_logger(__name__)
JOB_ENDED = "The job that it was a part of has ended."


class Advance:
    """Moves a job on within a turn that holds it."""

    def __init__(self, settings: AsyncTaskSettings, clock: DatabaseClock, notifier: Notifier) -> None:
        self._clock = clock
        self._notifier = notifier
        self.dispatch = Dispatch(settings, clock)

    def go_on(self, turn: Turn) -> None:
        """Dispatch what is ready, again while a task fails for want of its parameters; end the job where it is over."""
        while True:
            states = store.list_states(turn.connection, turn.job.job_id)
            verdict = judge(states)
            if verdict is not None:
                turn.bells.clear()
                self.end_job(turn, verdict, states)
                return
            if not self._dispatch_ready(turn, find_ready(states), states):
                turn.change_job(exe_id=turn.job.exe_id + 1)
                return

    def end_task(self, turn: Turn, task: TaskRow, status: TaskStatus, end: TaskEnd) -> None:
        """Write down how a task ended for good."""
        turn.change_task(
            task.task_id,
            task_status=status.value,
            task_cost=max(0.0, (turn.now - task.s_time).total_seconds()),
            ret_stat=str(end.stat),
            ret_data=strict_json.dumps(end.data),
        )
        if status is TaskStatus.FAILED:
            log.warning("job_task_failed", job_id=task.job_id, task_id=task.task_id, stat=end.stat)

    def end_job(self, turn: Turn, verdict: Verdict, states: Sequence[TaskState]) -> None:
        """End the job, whose tasks stand as `states` say; what nobody has started is withdrawn."""
        job = turn.job
        if any(state.status is TaskStatus.PENDING for state in states):
            self._withdraw_unstarted(turn.connection, job.job_id)
        turn.change_job(
            job_status=verdict.status.value,
            ret_stat=str(verdict.ret_stat),
            job_cost=max(0.0, (turn.now - job.s_time).total_seconds()),
            e_time=turn.now,
            exe_id=job.exe_id + 1,
        )
        self.free_locks_of_ended(turn)
        self.tell(turn)
        log.info("job_ended", job_id=job.job_id, status=verdict.status.value, stat=str(verdict.ret_stat))

    def withdraw(self, connection: Connection, job_id: int) -> None:
        """End the runs behind a job's tasks; what still works is fenced off."""
        rows = store.list_runs(connection, job_id, [status.value for status in LIVE])
        async_store.end_unfinished(connection, self._clock, rows, reason=JOB_ENDED, reason_code="job_ended")

    def free_locks_of_ended(self, turn: Turn) -> None:
        """Free the locks of a job that is over, but not while one of its handlers still works under them."""
        if not turn.job.job_lock:
            return
        # As they stand now: a worker may have claimed one since the turn began.
        states = store.list_states(turn.connection, turn.job.job_id)
        if not any(state.status is TaskStatus.STARTED for state in states):
            lock_store.free_locks(turn.connection, turn.job.job_id)

    def tell(self, turn: Turn) -> None:
        """Keep a notice of the job as it is now, where its plugin wants to know."""
        if self._notifier.is_wanted(turn.job.job_type):
            self._notifier.keep(turn.connection, store.get_job(turn.connection, turn.job.job_id))
            turn.has_notices = True

    def _withdraw_unstarted(self, connection: Connection, job_id: int) -> None:
        """End what no worker has claimed; what one claims meanwhile runs beside, and is recorded."""
        rows = store.list_runs(connection, job_id, [TaskStatus.PENDING.value])
        async_store.end_unstarted(connection, self._clock, rows, reason=JOB_ENDED, reason_code="job_ended")

    def _dispatch_ready(self, turn: Turn, ready: Sequence[TaskState], states: Sequence[TaskState]) -> bool:
        """Give ready tasks to the workers; return True where one of them can't be given what it requires."""
        ids = {state.label: state.task_id for state in states}
        needed = {ids[name] for task in ready for name in task.dependencies} | {task.task_id for task in ready}
        rows = {row.task_id: row for row in store.get_tasks(turn.connection, sorted(needed))} if needed else {}
        any_failed = False
        for state in ready:
            task = rows[state.task_id]
            results = [parsed(rows[each].ret_data) for each in sorted(ids[name] for name in state.dependencies)]
            try:
                params = _params_of(turn, task, results)
            except RequiresFailed as error:
                end = TaskEnd(Stat.TASK_REQUIRES, {"stat": Stat.TASK_REQUIRES, "msg": str(error)})
                # Its tries are made at once: what its dependencies returned stays as it is.
                turn.change_task(task.task_id, task_retrycount=task.task_retrymax)
                self.end_task(turn, task, TaskStatus.FAILED, end)
                any_failed = True
            else:
                turn.bells.append(self.dispatch.submit(turn.connection, turn.job, task, params))
        return any_failed


def _params_of(turn: Turn, task: TaskRow, results: list[dict[str, Any]]) -> dict[str, Any]:
    params = parsed(task.task_params) if task.task_params is not None else None
    return resolve(params, store.split(task.task_requires), results, parsed(task.task_extra), turn.job_extra)
