"""What the keeper looks for among jobs: those over time, ends that went unheard, those that ended long ago."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.engine import Connection

from gm_async_task.tasks.models import tasks as async_tasks
from gm_async_task.workflow.models import jobs, tasks
from gm_async_task.workflow.states import ENDED_JOB, LIVE, JobStatus, TaskStatus
from shared.database import DatabaseClock, utc_after
from shared.task_api.models import ENDED


def list_overdue(connection: Connection, clock: DatabaseClock, limit: int) -> Sequence[int]:
    """Return the ids of started jobs that are over time."""
    query = (
        select(jobs.c.job_id)
        .where(jobs.c.job_status == JobStatus.STARTED.value, jobs.c.deadline < clock.now())
        .limit(limit)
    )
    return connection.execute(query).scalars().all()


def list_ended_before(connection: Connection, moment: utc_after, limit: int) -> Sequence[int]:
    """Return the ids of jobs that have ended before a moment."""
    query = select(jobs.c.job_id).where(*_ended_before(moment)).limit(limit)
    return connection.execute(query).scalars().all()


def has_ended_before(connection: Connection, job_id: int, moment: utc_after) -> bool:
    """Tell whether a job, whose row is held, has ended before a moment."""
    query = select(jobs.c.job_id).where(jobs.c.job_id == job_id, *_ended_before(moment))
    return connection.execute(query).first() is not None


def _ended_before(moment: utc_after) -> tuple[ColumnElement[bool], ...]:
    return jobs.c.job_status.in_([status.value for status in ENDED_JOB]), jobs.c.e_time < moment


def list_unheard(connection: Connection, limit: int) -> Sequence[int]:
    """Return the rows of tbl_async_task that have ended while their tasks still wait for it."""
    query = (
        select(async_tasks.c.id)
        .join(tasks, tasks.c.async_task_id == async_tasks.c.id)
        .join(jobs, jobs.c.job_id == tasks.c.job_id)
        .where(
            tasks.c.task_status.in_([status.value for status in LIVE]),
            async_tasks.c.status.in_([int(status) for status in ENDED]),
            or_(jobs.c.job_status == JobStatus.STARTED.value, tasks.c.task_status == TaskStatus.STARTED.value),
        )
        .limit(limit)
    )
    return connection.execute(query).scalars().all()
