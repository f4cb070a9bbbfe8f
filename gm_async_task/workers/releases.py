"""What operators ask for: a version is tried with a share of the tasks, takes over, or is taken back."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.workers import release_store, store
from gm_async_task.workers.figures import read_figures
from gm_async_task.workers.lanes import choose_lane
from gm_async_task.workers.release_store import ReleaseRow, to_release
from shared.database import DatabaseClock, in_read, in_write
from shared.errors import ReleaseEnded, ReleaseNotFound, ReleaseUnderWay
from shared.task_api.workers import BeginRelease, EndRelease, GetRelease, Release, ReleaseState, ReleaseView

log = structlog.get_logger(__name__)


class ReleaseService:
    """One release at a time is tried; the database refuses a second."""

    def __init__(self, engine: Engine, settings: AsyncTaskSettings, clock: DatabaseClock) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock

    def begin(self, command: BeginRelease) -> Release:
        """Try a version; the one that is being tried already gets the new share.

        Raises:
            ReleaseUnderWay: another version is.
        """
        try:
            row = in_write(self._engine, lambda connection: self._begin(connection, command))
        except IntegrityError:  # another one began at the same moment, and is there now
            row = in_write(self._engine, lambda connection: self._begin(connection, command))
        log.info("release_begun", version=row.version, percent=row.percent)
        return to_release(row, self._settings.zone)

    def share(self, command: BeginRelease) -> Release:
        """Change the share of the version that is being tried.

        Raises:
            ReleaseNotFound, ReleaseEnded
        """
        row = in_write(self._engine, lambda connection: self._share(connection, command))
        log.info("release_shared", version=row.version, percent=row.percent)
        return to_release(row, self._settings.zone)

    def end(self, command: EndRelease) -> Release:
        """Let a version take over, or take it back; what waits for it goes to the base lane in the same transaction.

        Raises:
            ReleaseNotFound
            ReleaseEnded: it has ended otherwise; the same end again changes nothing.
        """
        row, moved = in_write(self._engine, lambda connection: self._end(connection, command))
        log.info("release_ended", version=row.version, state=row.state, drained=row.drained, moved=moved)
        return to_release(row, self._settings.zone)

    def get(self, command: GetRelease) -> ReleaseView:
        """Return the newest release, of one version where it is named, and what became of the tasks since.

        Raises:
            ReleaseNotFound: there is none of that version.
        """

        def read(connection: Connection) -> ReleaseView:
            row = release_store.find_newest(connection, command.version)
            if row is None:
                return ReleaseView(release=None, lanes={})
            lanes = read_figures(connection, self._clock, row.begun_at, row.ended_at)
            return ReleaseView(release=to_release(row, self._settings.zone), lanes=lanes)

        view = in_read(self._engine, read)
        if view.release is None and command.version is not None:
            raise ReleaseNotFound(version=command.version)
        return view

    def choose_lane(self, connection: Connection, queue: str, station_id: str, key: str) -> str | None:
        """Return the lane of a new task, None for the base lane.

        Asked of the database at each add: a share holds from the moment it is answered, in every process.
        """
        tried = release_store.read_tried(connection, self._clock, self._settings.silent_seconds)
        if tried is None:
            return None
        row, served = tried
        return choose_lane(to_release(row, self._settings.zone), served, queue, station_id, key)

    def _begin(self, connection: Connection, command: BeginRelease) -> ReleaseRow:
        tried = release_store.find_tried(connection)
        if tried is None:
            return release_store.insert_release(connection, self._clock, command)
        if tried.version != command.version:
            raise ReleaseUnderWay(version=tried.version)
        return release_store.write_share(connection, tried.id, command)

    def _share(self, connection: Connection, command: BeginRelease) -> ReleaseRow:
        row = _find(connection, command.version)
        if row.state != ReleaseState.GREY:
            raise ReleaseEnded(version=row.version, state=row.state)
        return release_store.write_share(connection, row.id, command)

    def _end(self, connection: Connection, command: EndRelease) -> tuple[ReleaseRow, int]:
        row = _find(connection, command.version)
        if row.state == command.state:
            return row, 0
        if row.state != ReleaseState.GREY:
            raise ReleaseEnded(version=row.version, state=row.state)
        drained = self._others(connection, command.version) if command.state == "live" else []
        moved = release_store.move_to_base(connection, self._clock)
        return release_store.write_end(connection, self._clock, row.id, command, drained), moved

    def _others(self, connection: Connection, version: str) -> list[str]:
        """Return the versions that it replaces, those of workers too that are silent now and may come back."""
        return sorted({row.version for row in store.list_workers(connection, self._clock)} - {version})


def _find(connection: Connection, version: str) -> Any:
    row = release_store.find_newest(connection, version, lock=True)
    if row is None:
        raise ReleaseNotFound(version=version)
    return row
