"""What workers say of themselves, and what they are told to serve."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.workers import store
from gm_async_task.workers.lanes import Crew, choose_serve, lane_of
from gm_async_task.workers.release_store import read_releases
from gm_async_task.workers.store import WorkerRow
from shared.database import DatabaseClock, in_read, in_write, to_zone
from shared.task_api.workers import (
    LeaveWorker,
    Presence,
    Release,
    ReportWorker,
    Worker,
    WorkerLane,
    WorkerState,
)

log = structlog.get_logger(__name__)


class WorkerService:
    """The endpoints of presence."""

    def __init__(self, engine: Engine, settings: AsyncTaskSettings, clock: DatabaseClock) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock

    def report(self, command: ReportWorker) -> Presence:
        """Keep what a worker says of itself, and tell it what to serve.

        What waits for a function that it did not have before is rung for at once.
        """
        try:
            presence, facts = in_write(self._engine, lambda connection: self._report(connection, command))
        except IntegrityError:  # its first report came twice at once
            presence, facts = in_write(self._engine, lambda connection: self._report(connection, command))
        if facts:
            log.info("worker_learned", worker=command.name, version=command.version, **facts)
        return presence

    def leave(self, command: LeaveWorker) -> None:
        """Forget a worker that has ended."""
        in_write(self._engine, lambda connection: store.delete_worker(connection, command.name))
        log.info("worker_left", worker=command.name)

    def list_workers(self) -> list[Worker]:
        """Return the workers, silent ones included until the keeper forgets them."""

        def read(connection: Connection) -> tuple[list[WorkerRow], list[Release]]:
            return store.list_workers(connection, self._clock), read_releases(connection, self._settings.zone)

        rows, releases = in_read(self._engine, read)
        live = [Crew(row.version, row.queues) for row in rows if self._state(row) is WorkerState.LIVE]
        return [self._to_worker(row, releases, live) for row in rows]

    def _report(self, connection: Connection, command: ReportWorker) -> tuple[Presence, dict[str, int]]:
        """Return the answer, and how much is new where something is."""
        known = store.list_functions(connection, self._clock, command.name, self._settings.silent_seconds)
        store.write_report(connection, self._clock, command)
        learned = set(command.functions) - set(known)
        due = store.make_refused_due(connection, self._clock, learned) if learned else 0
        facts = {"functions": len(learned), "due": due} if learned else {}
        return self._answer(connection, command), facts

    def _answer(self, connection: Connection, command: ReportWorker) -> Presence:
        releases = read_releases(connection, self._settings.zone)
        live = store.list_live(connection, self._clock, self._settings.silent_seconds)
        crews = [Crew(row.version, row.queues) for row in live]
        return Presence(
            serve=choose_serve(Crew(command.version, command.queues), releases, crews),
            report_seconds=self._settings.presence_seconds,
            drained=lane_of(command.version, releases) is WorkerLane.DRAINED,
        )

    def _to_worker(self, row: WorkerRow, releases: list[Release], live: list[Crew]) -> Worker:
        zone = self._settings.zone
        shown: dict[str, Any] = {
            **row._mapping,
            "serve": choose_serve(Crew(row.version, row.queues), releases, live),
            "started_at": to_zone(row.started_at, zone),
            "seen_at": to_zone(row.seen_at, zone),
            "seen_seconds": (row.now - row.seen_at).total_seconds(),
            "state": self._state(row),
            "lane": lane_of(row.version, releases),
        }
        return Worker.model_validate(shown)

    def _state(self, row: WorkerRow) -> WorkerState:
        seconds = (row.now - row.seen_at).total_seconds()
        return WorkerState.LIVE if seconds < self._settings.silent_seconds else WorkerState.SILENT
