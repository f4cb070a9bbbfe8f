"""The SQL of releases, and of the lanes of waiting tasks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, and_, insert, select, update
from sqlalchemy.engine import Connection

from gm_async_task.tasks.models import tasks
from gm_async_task.workers.models import releases, workers
from shared.database import DatabaseClock, to_zone
from shared.task_api.lanes import GREY
from shared.task_api.models import TaskStatus
from shared.task_api.workers import BeginRelease, EndRelease, Release, ReleaseState

ReleaseRow = Row[Any]
_MENTIONS = 200
"""older releases than so many decide about no worker any more"""


def insert_release(connection: Connection, clock: DatabaseClock, command: BeginRelease) -> ReleaseRow:
    """Insert a release that is tried from now on.

    Raises:
        sqlalchemy.exc.IntegrityError: another one is.
    """
    values = command.model_dump(mode="json")
    added = connection.execute(
        insert(releases).values(
            **values, state=ReleaseState.GREY.value, drained=[], begun_at=clock.now(), ended_at=None, grey_slot=1
        )
    )
    return get_release(connection, added.inserted_primary_key[0])  # type: ignore[index]


def get_release(connection: Connection, release_id: int) -> ReleaseRow:
    """Return one release that is known to exist."""
    return connection.execute(select(releases).where(releases.c.id == release_id)).one()


def find_tried(connection: Connection) -> ReleaseRow | None:
    """Return the release that is being tried, locked."""
    return connection.execute(select(releases).where(releases.c.grey_slot == 1).with_for_update()).one_or_none()


def find_newest(connection: Connection, version: str | None = None, *, lock: bool = False) -> ReleaseRow | None:
    """Return the newest release, of `version` where one is given."""
    query = select(releases).order_by(releases.c.id.desc()).limit(1)
    if version is not None:
        query = query.where(releases.c.version == version)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def read_releases(connection: Connection, zone: ZoneInfo) -> list[Release]:
    """Return the newest releases first, as many as can matter."""
    rows = connection.execute(select(releases).order_by(releases.c.id.desc()).limit(_MENTIONS)).all()
    return [to_release(row, zone) for row in rows]


def write_share(connection: Connection, release_id: int, command: BeginRelease) -> ReleaseRow:
    """Give a release another share."""
    values = command.model_dump(mode="json", exclude={"version"})
    connection.execute(update(releases).where(releases.c.id == release_id).values(values))
    return get_release(connection, release_id)


def write_end(
    connection: Connection, clock: DatabaseClock, release_id: int, command: EndRelease, drained: Sequence[str]
) -> ReleaseRow:
    """End a release."""
    values = {"state": command.state, "reason": command.reason, "drained": list(drained)}
    statement = update(releases).where(releases.c.id == release_id)
    connection.execute(statement.values(**values, ended_at=clock.now(), grey_slot=None))
    return get_release(connection, release_id)


def read_tried(
    connection: Connection, clock: DatabaseClock, silent_seconds: float
) -> tuple[ReleaseRow, set[str]] | None:
    """Return the release that is being tried, and the base queues of its live workers.

    One indexed look-up that finds nothing while nothing is tried; asked at every add.
    """
    crew = and_(workers.c.version == releases.c.version, workers.c.seen_at > clock.after(-silent_seconds))
    query = select(releases, workers.c.queues.label("crew_queues")).join(workers, crew, isouter=True)
    rows = connection.execute(query.where(releases.c.grey_slot == 1)).all()
    return (rows[0], {queue for row in rows for queue in row.crew_queues or []}) if rows else None


def has_waiting_grey(connection: Connection, served: Collection[str]) -> bool:
    """Tell whether something waits in the grey lane of a queue that is not `served`."""
    return connection.execute(select(tasks.c.id).where(_waits_grey(served)).limit(1)).first() is not None


def move_to_base(connection: Connection, clock: DatabaseClock, served: Collection[str] = ()) -> int:
    """Move what waits in the grey lane to the base lane, due at once, but for the queues that are `served`."""
    due = {"lane": None, "dispatch_at": clock.now(), "dispatch_count": 0}
    return connection.execute(update(tasks).where(_waits_grey(served)).values(due)).rowcount


def _waits_grey(served: Collection[str]) -> ColumnElement[bool]:
    waits = and_(tasks.c.status == int(TaskStatus.SUBMITTED), tasks.c.lane == GREY)
    return and_(waits, tasks.c.queue.not_in(sorted(served))) if served else waits


def to_release(row: ReleaseRow, zone: ZoneInfo) -> Release:
    """Return a release as the wire has it; times get the offset of `zone`."""
    times = {"begun_at": to_zone(row.begun_at, zone), "ended_at": to_zone(row.ended_at, zone)}
    return Release.model_validate({**row._mapping, **times})
