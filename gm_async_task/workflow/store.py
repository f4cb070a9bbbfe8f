"""The SQL of jobs and their tasks. Whoever changes a job holds its row; the row of a task's run is locked before it.

What every task needs is kept as a statement with bound values: building one costs more than executing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection

from gm_async_task.tasks.models import tasks as async_tasks
from gm_async_task.workflow.models import jobs, locks, tasks
from gm_async_task.workflow.states import JobStatus, TaskState, TaskStatus
from shared.database import DatabaseClock
from shared.task_api.models import ENDED

JobRow = Row[Any]
TaskRow = Row[Any]
EndedRun = Row[Any]
"""a task of a job, and from its row in tbl_async_task the run_* of `_ended_run`"""
_STATE = (tasks.c.task_id, tasks.c.task_label, tasks.c.task_status, tasks.c.task_dependencies, tasks.c.ret_stat)
_WANTED: BindParameter[int] = bindparam("wanted_id")
_RUN_OF_TASK = and_(tasks.c.task_id == async_tasks.c.workflow_task_id, tasks.c.async_task_id == async_tasks.c.id)

_INSERT_JOB, _INSERT_TASKS = insert(jobs), insert(tasks)
_JOB = select(jobs).where(jobs.c.job_id == _WANTED)
_JOB_LOCKED = _JOB.with_for_update()
_JOB_OF_RUN_LOCKED = (
    select(jobs)
    .where(
        jobs.c.job_id
        == select(tasks.c.job_id).join(async_tasks, _RUN_OF_TASK).where(async_tasks.c.id == _WANTED).scalar_subquery()
    )
    .with_for_update()
)
_STATES = select(*_STATE).where(tasks.c.job_id == _WANTED).order_by(tasks.c.task_id)
_TASKS = select(tasks).where(tasks.c.task_id.in_(bindparam("wanted_ids", expanding=True))).order_by(tasks.c.task_id)


def read_now(connection: Connection, clock: DatabaseClock) -> datetime:
    """Return the database's time, UTC without offset."""
    now: datetime = connection.execute(_now(clock)).scalar_one()
    return now


@lru_cache(maxsize=16)
def _now(clock: DatabaseClock) -> Select[Any]:
    return select(clock.now().label("now"))


def insert_job(connection: Connection, **values: Any) -> int:
    """Insert a job and return its id.

    Raises:
        sqlalchemy.exc.IntegrityError: its name is taken.
    """
    key = connection.execute(_INSERT_JOB, values).inserted_primary_key
    assert key is not None  # noqa: S101 an insert of one row has a key
    return int(key[0])


def insert_tasks(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert a job's tasks; their ids rise in the order given."""
    connection.execute(_INSERT_TASKS, rows)


def find_jobs(
    connection: Connection, job_id: int | None, job_name: str | None, namespace: str | None, *, lock: bool = False
) -> Sequence[JobRow]:
    """Return the jobs that have the id or the name, at most two."""
    named = [jobs.c.job_id == job_id] if job_id is not None else []
    named += [jobs.c.job_name == job_name] if job_name is not None else []
    query = select(jobs).where(or_(*named)).order_by(jobs.c.job_id)
    if namespace is not None:
        query = query.where(jobs.c.job_namespace == namespace)
    return connection.execute(query.with_for_update() if lock else query).all()


def lock_job(connection: Connection, job_id: int) -> JobRow | None:
    """Return a job and hold its row to the end of the transaction; None where it was deleted."""
    return connection.execute(_JOB_LOCKED, {"wanted_id": job_id}).one_or_none()


def lock_job_of_run(connection: Connection, async_task_id: int) -> JobRow | None:
    """Do the same with the job that a row of tbl_async_task works for; None where it works for none any more."""
    return connection.execute(_JOB_OF_RUN_LOCKED, {"wanted_id": async_task_id}).one_or_none()


def get_job(connection: Connection, job_id: int) -> JobRow:
    """Return a job that is known to exist."""
    return connection.execute(_JOB, {"wanted_id": job_id}).one()


def is_name_taken(connection: Connection, job_name: str) -> bool:
    """Tell whether a job of any type has the name."""
    return connection.execute(select(jobs.c.job_id).where(jobs.c.job_name == job_name)).first() is not None


def change_job(connection: Connection, clock: DatabaseClock, job_id: int, **values: Any) -> None:
    """Write columns of a job whose row is held."""
    connection.execute(_job_changes(clock), {"wanted_id": job_id, **values})


@lru_cache(maxsize=16)
def _job_changes(clock: DatabaseClock) -> Update:
    """Return the change of whatever columns are given with it."""
    return update(jobs).where(jobs.c.job_id == _WANTED).values(u_time=clock.now())


def change_task(connection: Connection, clock: DatabaseClock, task_id: int, **values: Any) -> None:
    """Write columns of a task whose job's row is held."""
    connection.execute(_task_changes(clock), {"wanted_id": task_id, **values})


@lru_cache(maxsize=16)
def _task_changes(clock: DatabaseClock) -> Update:
    return update(tasks).where(tasks.c.task_id == _WANTED).values(u_time=clock.now())


def list_states(connection: Connection, job_id: int) -> list[TaskState]:
    """Return what the rules look at of a job's tasks, in the order in which they were added."""
    return [
        TaskState(task_id, label, TaskStatus(status), split(dependencies), ret_stat)
        for task_id, label, status, dependencies, ret_stat in connection.execute(_STATES, {"wanted_id": job_id})
    ]


def get_tasks(connection: Connection, task_ids: Sequence[int]) -> Sequence[TaskRow]:
    """Return tasks whole, by their ids."""
    return connection.execute(_TASKS, {"wanted_ids": task_ids}).all()


def find_ended_run(connection: Connection, clock: DatabaseClock, async_task_id: int) -> EndedRun | None:
    """Return how a row of tbl_async_task ended, with its task; None where it has not, or is no longer that task's."""
    return connection.execute(_ended_run(clock), {"wanted_id": async_task_id}).one_or_none()


@lru_cache(maxsize=16)
def _ended_run(clock: DatabaseClock) -> Select[Any]:
    run = async_tasks.c
    told = [run[name].label(f"run_{name}") for name in ("id", "status", "result", "reason", "reason_code", "run_count")]
    ended = run.status.in_([int(status) for status in ENDED])
    query = select(tasks, *told, clock.now().label("now")).join(async_tasks, _RUN_OF_TASK)
    return query.where(run.id == _WANTED, ended)


def note_started(connection: Connection, clock: DatabaseClock, async_task_id: int, task_id: int) -> bool:
    """Note that a worker has a task; False where its job is over, or it is no longer that row's.

    What was started before its job failed may be run to its end, by another worker if need be.
    """
    given = {"wanted_id": task_id, "wanted_run": async_task_id}
    return connection.execute(_start_statement(clock), given).rowcount == 1


@lru_cache(maxsize=16)
def _start_statement(clock: DatabaseClock) -> Update:
    job_goes_on = exists().where(jobs.c.job_id == tasks.c.job_id, jobs.c.job_status == JobStatus.STARTED.value)
    startable = or_(
        tasks.c.task_status == TaskStatus.STARTED.value,
        and_(tasks.c.task_status == TaskStatus.PENDING.value, job_goes_on),
    )
    return (
        update(tasks)
        .where(tasks.c.task_id == _WANTED, tasks.c.async_task_id == bindparam("wanted_run"), startable)
        .values(task_status=TaskStatus.STARTED.value, s_time=clock.now(), u_time=clock.now())
    )


def list_runs(connection: Connection, job_id: int, statuses: Sequence[str]) -> list[int]:
    """Return the rows of tbl_async_task behind a job's tasks in the given states."""
    query = select(tasks.c.async_task_id).where(
        tasks.c.job_id == job_id, tasks.c.task_status.in_(statuses), tasks.c.async_task_id.is_not(None)
    )
    return [int(each) for each in connection.execute(query).scalars()]


def has_later_save(connection: Connection, job_id: int, task_id: int) -> bool:
    """Tell whether a task added behind this one has saved its result already."""
    query = select(tasks.c.task_id).where(
        tasks.c.job_id == job_id,
        tasks.c.task_id > task_id,
        tasks.c.task_is_save.is_(True),
        tasks.c.task_status == TaskStatus.FINISHED.value,
    )
    return connection.execute(query.limit(1)).first() is not None


def delete_job(connection: Connection, job_id: int) -> None:
    """Delete a job, its tasks and its locks."""
    for table in (locks, tasks, jobs):
        connection.execute(delete(table).where(table.c.job_id == job_id))


def split(text: str) -> tuple[str, ...]:
    """Return the items of a comma-joined list."""
    return tuple(item for item in text.split(",") if item)
