"""What the keeper does for workers and lanes: nothing waits in a lane that nobody serves, who is gone is forgotten."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy.engine import Connection, Engine

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.workers import release_store, store
from shared.database import DatabaseClock, in_read, in_write

log = structlog.get_logger(__name__)
FORGOTTEN_AFTER_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Kept:
    """What one sweep changed."""

    moved: int = 0
    """waiting tasks that went from the grey lane to the base lane"""
    forgotten: int = 0
    """workers"""


class WorkerKeeper:
    """Sweeps beside `gm_async_task.tasks.sweep.Sweeper`; any number of them may."""

    def __init__(self, engine: Engine, settings: AsyncTaskSettings, clock: DatabaseClock) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock

    def sweep(self) -> Kept:
        """Do everything that is due now.

        Raises:
            Unavailable: the database is away.
        """
        if not in_read(self._engine, self._has_work):
            return Kept()
        kept = in_write(self._engine, self._sweep)
        if kept.moved:
            log.warning("grey_tasks_moved", tasks=kept.moved)
        return kept

    def _has_work(self, connection: Connection) -> bool:
        return release_store.has_waiting_grey(connection, self._served(connection)) or store.has_silent(
            connection, self._clock, FORGOTTEN_AFTER_SECONDS
        )

    def _sweep(self, connection: Connection) -> Kept:
        return Kept(
            moved=release_store.move_to_base(connection, self._clock, self._served(connection)),
            forgotten=store.delete_silent(connection, self._clock, FORGOTTEN_AFTER_SECONDS),
        )

    def _served(self, connection: Connection) -> set[str]:
        """Return the queues whose grey lane a live worker serves."""
        tried = release_store.read_tried(connection, self._clock, self._settings.silent_seconds)
        return tried[1] if tried else set()
