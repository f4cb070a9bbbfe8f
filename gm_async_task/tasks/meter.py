"""What the task room counts: starts and their delay, ends and their reasons. Called after the commit, once an event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gm_async_task.tasks.store import TaskRow
from shared.metrics import table
from shared.metrics.meters import Meters
from shared.task_api.models import TaskStatus

NO_QUEUE = "none"
"""the label of tasks that name no queue: whoever added them rings"""


@dataclass(frozen=True, slots=True)
class Ended:
    """A task that ended, as far as it is counted."""

    task_id: int
    task_name: str
    status: TaskStatus
    reason_code: str | None
    run_seconds: float | None
    """None where it ended without a run"""
    queue: str | None


def end_of(row: TaskRow, status: int, reason_code: str | None) -> Ended:
    """Return how the task ends whose row, with the moment as `now`, is as it was before."""
    ran = row.status == TaskStatus.RUNNING and row.run_start is not None
    seconds = (row.now - row.run_start).total_seconds() if ran else None
    return Ended(int(row.id), row.name, TaskStatus(status), reason_code, seconds, row.queue)


class TaskMeter:
    """Counts what becomes of tasks."""

    def __init__(self, meters: Meters | None = None) -> None:
        self._meters = meters or Meters(table.ASYNC_TASK)

    def added(self, queue: str | None) -> None:
        """Count a new task."""
        self._meters.count(table.TASKS_ADDED, queue=queue or NO_QUEUE)

    def started(self, row: TaskRow, submitted_at: datetime | None) -> None:
        """Count a start, and how long it was waited for where it was."""
        if submitted_at is not None:
            delay = (row.run_start - submitted_at).total_seconds()
            self._meters.observe(table.START_DELAY_SECONDS, delay, queue=row.queue or NO_QUEUE)

    def ended(self, ended: Ended | None) -> None:
        """Count the end of a task, if it ended."""
        if ended is None:
            return
        status = ended.status.name.lower()
        self._meters.count(table.TASKS_ENDED, status=status)
        if ended.status is TaskStatus.FAILED:
            self._meters.count(table.TASK_FAILURES, code=ended.reason_code or "none")
        if ended.run_seconds is not None:
            self._meters.observe(
                table.RUN_SECONDS_OF_TASKS, ended.run_seconds, task_name=ended.task_name, status=status
            )

    def released(self, ended: Ended | None, *, lost: bool) -> None:
        """Count a run that was given back or died, and the end of its task, if it ended."""
        if lost:
            self._meters.count(table.RUNS_LOST)
        self.ended(ended)

    def unfenced(self, verb: str) -> None:
        """Count a caller of old, whose change carries no run_count."""
        self._meters.count(table.UNFENCED_WRITES, verb=verb)
