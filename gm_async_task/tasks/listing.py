"""The SQL of many tasks at once: what people list, look for and hide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, not_, or_, select, update
from sqlalchemy.engine import Connection

from gm_async_task.tasks.models import tasks
from gm_async_task.tasks.store import ENDED_VALUES, WITHOUT_INPUT, TaskRow
from shared.database import DatabaseClock, to_utc
from shared.task_api import commands
from shared.web.fields import MAX_ID


def list_page(connection: Connection, command: commands.ListTasks, zone: ZoneInfo) -> Sequence[TaskRow]:
    """Return a page of a station's tasks, newest first; moments without offset are read in `zone`."""
    filters = {
        "status": command.status,
        "type": command.type,
        "message_show": command.message_show,
    }
    query = select(*(WITHOUT_INPUT if command.brief or command.without_input else tasks.c)).where(
        tasks.c.station_id == command.station_id
    )
    query = query.where(*(tasks.c[name] == value for name, value in filters.items() if value is not None))
    if command.task_ids is not None:
        query = query.where(tasks.c.id.in_(command.task_ids))
    if command.user_task_ids is not None:
        query = query.where(tasks.c.user_task_id.in_(command.user_task_ids))
    if command.before_id is not None:
        query = query.where(tasks.c.id < command.before_id)
    query = query.where(*_sought(command, zone))
    page = query.order_by(tasks.c.id.desc()).limit(command.limit).offset(command.offset * command.limit)
    return connection.execute(page).all()


def _sought(command: commands.ListTasks, zone: ZoneInfo) -> Iterator[ColumnElement[bool]]:
    """Yield what people look for by state, time and words."""
    if command.active is not None:
        yield tasks.c.status.not_in(ENDED_VALUES) if command.active else tasks.c.status.in_(ENDED_VALUES)
    if command.since is not None:
        yield tasks.c.creat_time >= to_utc(command.since, zone)
    if command.until is not None:
        yield tasks.c.creat_time < to_utc(command.until, zone)
    if command.text is not None:
        named = (tasks.c.business_name, tasks.c.file_name, tasks.c.submitted_by)
        words = [column.icontains(command.text, autoescape=True) for column in named]
        # As a whole: made up by programs, a part of it says nothing.
        words.append(tasks.c.user_task_id == command.text)
        digits = command.text.removeprefix("#")
        if digits.isascii() and digits.isdigit() and int(digits) <= MAX_ID:
            words.append(tasks.c.id == int(digits))
        yield or_(*words)


def hide_ended(connection: Connection, clock: DatabaseClock, command: commands.HideTasks) -> None:
    """Hide those of the named tasks that have ended."""
    statement = (
        update(tasks)
        .where(_among(command), tasks.c.status.in_(ENDED_VALUES), not_(tasks.c.message_show.is_(False)))
        .values(message_show=False, modify_time=clock.now())
    )
    connection.execute(statement)


def list_states(connection: Connection, command: commands.HideTasks) -> Sequence[TaskRow]:
    """Return id, user_task_id, station_id and status of the named tasks."""
    columns = (tasks.c.id, tasks.c.user_task_id, tasks.c.station_id, tasks.c.status)
    return connection.execute(select(*columns).where(_among(command))).all()


def _among(command: commands.HideTasks) -> ColumnElement[bool]:
    named = or_(tasks.c.id.in_(command.task_ids or []), tasks.c.user_task_id.in_(command.user_task_ids or []))
    return named if command.station_id is None else and_(named, tasks.c.station_id == command.station_id)
