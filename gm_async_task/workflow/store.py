"""The SQL of jobs and their tasks. Whoever changes a job holds its row; the row of a task's run is locked before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, literal, or_, select, update
from sqlalchemy.engine import Connection

from gm_async_task.tasks.models import tasks as async_tasks
from gm_async_task.workflow.models import jobs, locks, tasks
from gm_async_task.workflow.states import JobStatus, TaskState, TaskStatus
from shared.database import DatabaseClock
from shared.task_api.models import ENDED

JobRow = Row[Any]
TaskRow = Row[Any]
_LIVE = (TaskStatus.PENDING.value, TaskStatus.STARTED.value)
_STATE = (tasks.c.task_id, tasks.c.task_label, tasks.c.task_status, tasks.c.task_dependencies, tasks.c.ret_stat)


def read_now(connection: Connection, clock: DatabaseClock) -> datetime:
    """Return the database's time, UTC without offset."""
    now: datetime = connection.execute(select(clock.now().label("now"))).scalar_one()
    return now


def insert_job(connection: Connection, **values: Any) -> int:
    """Insert a job and return its id.

    Raises:
        sqlalchemy.exc.IntegrityError: its name is taken.
    """
    key = connection.execute(insert(jobs).values(values)).inserted_primary_key
    assert key is not None  # noqa: S101 an insert of one row has a key
    return int(key[0])


def insert_tasks(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert a job's tasks; their ids rise in the order given."""
    connection.execute(insert(tasks), rows)


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
    return connection.execute(select(jobs).where(jobs.c.job_id == job_id).with_for_update()).one_or_none()


def get_job(connection: Connection, job_id: int) -> JobRow:
    """Return a job that is known to exist."""
    return connection.execute(select(jobs).where(jobs.c.job_id == job_id)).one()


def is_name_taken(connection: Connection, job_name: str) -> bool:
    """Tell whether a job of any type has the name."""
    return connection.execute(select(jobs.c.job_id).where(jobs.c.job_name == job_name)).first() is not None


def change_job(connection: Connection, clock: DatabaseClock, job_id: int, **values: Any) -> None:
    """Write columns of a job whose row is held."""
    connection.execute(update(jobs).where(jobs.c.job_id == job_id).values({"u_time": clock.now(), **values}))


def change_task(connection: Connection, clock: DatabaseClock, task_id: int, **values: Any) -> None:
    """Write columns of a task whose job's row is held."""
    connection.execute(update(tasks).where(tasks.c.task_id == task_id).values({"u_time": clock.now(), **values}))


def list_states(connection: Connection, job_id: int) -> list[TaskState]:
    """Return what the rules look at of a job's tasks, in the order in which they were added."""
    rows = connection.execute(select(*_STATE).where(tasks.c.job_id == job_id).order_by(tasks.c.task_id)).all()
    return [
        TaskState(
            row.task_id, row.task_label, TaskStatus(row.task_status), split(row.task_dependencies), str(row.ret_stat)
        )
        for row in rows
    ]


def list_tasks(connection: Connection, job_id: int, task_status: str | None = None) -> Sequence[TaskRow]:
    """Return a job's tasks whole, in the order in which they were added."""
    query = select(tasks).where(tasks.c.job_id == job_id).order_by(tasks.c.task_id)
    if task_status is not None:
        query = query.where(tasks.c.task_status == task_status)
    return connection.execute(query).all()


def get_tasks(connection: Connection, task_ids: Sequence[int]) -> Sequence[TaskRow]:
    """Return tasks whole, by their ids."""
    return connection.execute(select(tasks).where(tasks.c.task_id.in_(task_ids)).order_by(tasks.c.task_id)).all()


def find_task(connection: Connection, task_id: int, namespace: str | None) -> TaskRow | None:
    """Return one task; `namespace` narrows it to the jobs of one."""
    query = select(tasks).where(tasks.c.task_id == task_id)
    if namespace is not None:
        query = query.join(jobs, jobs.c.job_id == tasks.c.job_id).where(jobs.c.job_namespace == namespace)
    return connection.execute(query).one_or_none()


def find_task_of_run(connection: Connection, async_task_id: int, task_id: int) -> TaskRow | None:
    """Return the task that a row of tbl_async_task runs, None where it is no longer that row's."""
    query = select(tasks).where(tasks.c.task_id == task_id, tasks.c.async_task_id == async_task_id)
    return connection.execute(query).one_or_none()


def note_started(connection: Connection, clock: DatabaseClock, async_task_id: int, task_id: int) -> bool:
    """Note that a worker has a task; False where its job is over, or it is no longer that row's.

    What was started before its job failed may be run to its end, by another worker if need be.
    """
    running = select(jobs.c.job_id).where(jobs.c.job_status == JobStatus.STARTED.value)
    statement = (
        update(tasks)
        .where(
            tasks.c.task_id == task_id,
            tasks.c.async_task_id == async_task_id,
            or_(
                tasks.c.task_status == TaskStatus.STARTED.value,
                and_(tasks.c.task_status == TaskStatus.PENDING.value, tasks.c.job_id.in_(running)),
            ),
        )
        .values(task_status=TaskStatus.STARTED.value, s_time=clock.now(), u_time=clock.now())
    )
    return connection.execute(statement).rowcount == 1


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


def list_lock_holders(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the jobs that hold the locks, by the locks' names; nobody's are left out."""
    rows = connection.execute(select(locks).where(locks.c.lock_name.in_(list(names)))).all()
    return {row.lock_name: row.job_id for row in rows}


def insert_locks(connection: Connection, job_id: int, names: Iterable[str]) -> None:
    """Take locks that were free; always in the same order, so that two takers don't wait for each other.

    Raises:
        sqlalchemy.exc.IntegrityError: another job was first.
    """
    rows = [{"lock_name": name, "job_id": job_id} for name in sorted(names)]
    if rows:
        connection.execute(insert(locks), rows)


def free_locks(connection: Connection, job_id: int) -> None:
    """Give back whatever the job holds."""
    connection.execute(delete(locks).where(locks.c.job_id == job_id))


def list_overdue(connection: Connection, clock: DatabaseClock, limit: int) -> Sequence[int]:
    """Return the ids of started jobs that are over time."""
    query = (
        select(jobs.c.job_id)
        .where(jobs.c.job_status == JobStatus.STARTED.value, jobs.c.deadline < clock.now())
        .limit(limit)
    )
    return connection.execute(query).scalars().all()


def list_unheard(connection: Connection, limit: int) -> Sequence[int]:
    """Return the rows of tbl_async_task that have ended while their tasks still wait for it."""
    query = (
        select(async_tasks.c.id)
        .join(tasks, tasks.c.async_task_id == async_tasks.c.id)
        .join(jobs, jobs.c.job_id == tasks.c.job_id)
        .where(
            tasks.c.task_status.in_(_LIVE),
            async_tasks.c.status.in_([int(status) for status in ENDED]),
            or_(jobs.c.job_status == JobStatus.STARTED.value, tasks.c.task_status == TaskStatus.STARTED.value),
        )
        .limit(limit)
    )
    return connection.execute(query).scalars().all()


def list_page(
    connection: Connection,
    filters: dict[str, Any],
    *,
    order_by: str,
    descending: bool,
    page_index: int,
    page_size: int,
) -> tuple[int, Sequence[JobRow]]:
    """Return how many jobs match and a page of them; `filters` has job_tag, job_name (LIKE) and columns."""
    conditions = [_condition(name, value) for name, value in filters.items() if value is not None]
    total = connection.execute(select(func.count()).select_from(jobs).where(*conditions)).scalar_one()
    column = jobs.c[order_by]
    order = [column.desc(), jobs.c.job_id.desc()] if descending else [column, jobs.c.job_id]
    query = select(jobs).where(*conditions).order_by(*order).limit(page_size).offset((page_index - 1) * page_size)
    return total, connection.execute(query).all()


def has_tags(tags: str) -> ColumnElement[bool]:
    """Match jobs that carry each of the tags as a whole item."""
    kept = literal(",") + jobs.c.job_tags + literal(",")
    return and_(*(func.instr(kept, f",{tag},") > 0 for tag in split(tags)))


def split(text: str) -> tuple[str, ...]:
    """Return the items of a comma-joined list."""
    return tuple(item for item in text.split(",") if item)


def _condition(name: str, value: Any) -> ColumnElement[bool]:
    if name == "job_tag":
        return has_tags(value)
    if name == "job_name":
        return jobs.c.job_name.ilike(value, escape="\\")
    return jobs.c[name].is_not_distinct_from(value)
