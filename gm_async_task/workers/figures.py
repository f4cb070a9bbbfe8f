"""What became of the tasks of both lanes since a release began, from one index: no input or result is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.engine import Connection

from gm_async_task.tasks.models import tasks
from shared.database import DatabaseClock
from shared.task_api.lanes import GREY
from shared.task_api.models import ENDED, TaskStatus
from shared.task_api.workers import LaneFigures, StartDelay

MAX_COUNTED = 100_000
"""newest tasks of a lane that are counted"""
MAX_SAMPLED = 2_000
"""newest started tasks of a lane whose delays are looked at"""


def read_figures(
    connection: Connection, clock: DatabaseClock, begun_at: datetime, ended_at: datetime | None
) -> dict[str, LaneFigures]:
    """Return the figures of both lanes, of the tasks added with a queue while the release was tried."""
    since = [tasks.c.creat_time >= begun_at, tasks.c.queue.is_not(None)]
    if ended_at is not None:
        since.append(tasks.c.creat_time < ended_at)
    lanes = {GREY: tasks.c.lane == GREY, "base": tasks.c.lane.is_(None)}
    return {name: _figures_of(connection, clock, [*since, lane]) for name, lane in lanes.items()}


def _figures_of(connection: Connection, clock: DatabaseClock, where: list[ColumnElement[bool]]) -> LaneFigures:
    groups = _count(connection, where)
    now = connection.execute(select(clock.now().label("now"))).scalar_one()
    failed: Counter[str] = Counter()
    for group in groups:
        if group.status == TaskStatus.FAILED and group.reason_code != "closed":
            failed[group.reason_code or "unknown"] += group.tasks
    waiting = [group.oldest for group in groups if group.status == TaskStatus.SUBMITTED]
    return LaneFigures(
        added=sum(group.tasks for group in groups),
        started=sum(group.started for group in groups),
        ended=_sum(groups, ENDED),
        failed=sum(failed.values()),
        failed_by_code=dict(sorted(failed.items())),
        start_delay_seconds=_start_delay(connection, where),
        oldest_waiting_seconds=(now - min(waiting)).total_seconds() if waiting else None,
        running=_sum(groups, {TaskStatus.RUNNING}),
    )


def _count(connection: Connection, where: list[ColumnElement[bool]]) -> Sequence[Row[Any]]:
    columns = (tasks.c.status, tasks.c.reason_code, tasks.c.creat_time, tasks.c.start_time)
    newest = select(*columns).where(*where).order_by(tasks.c.creat_time.desc()).limit(MAX_COUNTED).subquery()
    query = select(
        newest.c.status,
        newest.c.reason_code,
        func.count().label("tasks"),
        func.count(newest.c.start_time).label("started"),
        func.min(newest.c.creat_time).label("oldest"),
    ).group_by(newest.c.status, newest.c.reason_code)
    return connection.execute(query).all()


def _sum(groups: Sequence[Row[Any]], statuses: frozenset[TaskStatus] | set[TaskStatus]) -> int:
    return sum(group.tasks for group in groups if group.status in statuses)


def _start_delay(connection: Connection, where: list[ColumnElement[bool]]) -> StartDelay:
    started = select(tasks.c.creat_time, tasks.c.start_time).where(*where, tasks.c.start_time.is_not(None))
    rows = connection.execute(started.order_by(tasks.c.creat_time.desc()).limit(MAX_SAMPLED)).all()
    delays = sorted((row.start_time - row.creat_time).total_seconds() for row in rows)
    return StartDelay(p50=_percentile(delays, 0.5), p95=_percentile(delays, 0.95))


def _percentile(ordered: Sequence[float], part: float) -> float | None:
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else None
