"""The states of jobs and of their tasks, pure: what is ready, and when a job is over.

job    started -> finished | failed;  failed -> started (a retry)
task   waiting -> pending -> started -> finished | failed;  failed -> waiting (a retry)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gm_async_task.workflow.stats import Stat


class JobStatus(StrEnum):
    """Where a job is."""

    STARTED = "started"
    """from its first instant"""
    FINISHED = "finished"
    """every task has finished"""
    FAILED = "failed"
    """a task failed for good, or the job took too long; it can be retried"""


class TaskStatus(StrEnum):
    """Where a task of a job is."""

    WAITING = "waiting"
    """a dependency is unfinished"""
    PENDING = "pending"
    """given to the workers, claimed by none"""
    STARTED = "started"
    """a worker has it"""
    FINISHED = "finished"
    FAILED = "failed"


ENDED_JOB = (JobStatus.FINISHED, JobStatus.FAILED)
"""states in which a job is over, until somebody retries it"""
LIVE = frozenset({TaskStatus.PENDING, TaskStatus.STARTED})
"""states in which a task's end is awaited"""


@dataclass(frozen=True, slots=True)
class TaskState:
    """What of a task the rules look at."""

    task_id: int
    label: str
    status: TaskStatus
    dependencies: tuple[str, ...] = ()
    ret_stat: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a job ends."""

    status: JobStatus
    ret_stat: str


def find_ready(tasks: Sequence[TaskState]) -> list[TaskState]:
    """Return the waiting tasks whose dependencies have all finished, in the order given."""
    finished = {task.label for task in tasks if task.status is TaskStatus.FINISHED}
    return [task for task in tasks if task.status is TaskStatus.WAITING and finished.issuperset(task.dependencies)]


def judge(tasks: Sequence[TaskState]) -> Verdict | None:
    """Tell how a job ends as its tasks stand; None where it goes on."""
    failed = sorted((task for task in tasks if task.status is TaskStatus.FAILED), key=lambda task: task.task_id)
    if failed:
        return Verdict(JobStatus.FAILED, next((task.ret_stat for task in failed if task.ret_stat), Stat.JOB_EXE_FAILED))
    if all(task.status is TaskStatus.FINISHED for task in tasks):
        return Verdict(JobStatus.FINISHED, Stat.OK)
    return None


def may_try_again(ret_stat: str, retry_count: int, retry_max: int) -> bool:
    """Tell whether a failed task is tried once more: the same call can't go better where the call itself is wrong."""
    return retry_count < retry_max and ret_stat not in (Stat.BAD_PARAMS, Stat.HANDLER_NOT_EXISTS)


def backoff_seconds(retry_count: int) -> float:
    """Return how long the `retry_count`-th further try waits: 1, 2, 4 ... at most 60 seconds."""
    return float(min(60, 2 ** min(retry_count - 1, 6)))
