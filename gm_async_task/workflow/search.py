"""What callers look for among jobs and tasks: pages of jobs, a job's tasks, one task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, select, true
from sqlalchemy.engine import Connection

from gm_async_task.workflow.models import jobs, tasks
from gm_async_task.workflow.store import JobRow, TaskRow, split


def list_tasks(connection: Connection, job_id: int, task_status: str | None = None) -> Sequence[TaskRow]:
    """Return a job's tasks whole, in the order in which they were added."""
    query = select(tasks).where(tasks.c.job_id == job_id).order_by(tasks.c.task_id)
    if task_status is not None:
        query = query.where(tasks.c.task_status == task_status)
    return connection.execute(query).all()


def task_rows(connection: Connection, job_id: int, task_id: int | None = None) -> dict[int, int]:
    """Return the tasks of a job, or one of them, by the ids of their rows in tbl_async_task."""
    query = select(tasks.c.async_task_id, tasks.c.task_id).where(
        tasks.c.job_id == job_id, tasks.c.async_task_id.is_not(None)
    )
    if task_id is not None:
        query = query.where(tasks.c.task_id == task_id)
    return {row.async_task_id: row.task_id for row in connection.execute(query)}


def find_task(connection: Connection, task_id: int, namespace: str | None) -> TaskRow | None:
    """Return one task; `namespace` narrows it to the jobs of one."""
    query = select(tasks).where(tasks.c.task_id == task_id)
    if namespace is not None:
        query = query.join(jobs, jobs.c.job_id == tasks.c.job_id).where(jobs.c.job_namespace == namespace)
    return connection.execute(query).one_or_none()


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
    wanted = [tag.strip() for tag in split(tags) if tag.strip()]
    return and_(true(), *(func.instr(kept, f",{tag},") > 0 for tag in wanted))


def _condition(name: str, value: Any) -> ColumnElement[bool]:
    if name == "job_tag":
        return has_tags(value)
    if name == "job_name":
        return jobs.c.job_name.ilike(value, escape="\\")
    return jobs.c[name].is_not_distinct_from(value)
