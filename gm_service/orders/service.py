"""The use cases of a station's orders: export at once or by a worker, submit an import, hand out files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog
from sqlalchemy.engine import Engine

from gm_service.config import ServiceSettings
from gm_service.orders import export, importing, store
from gm_service.orders.commands import CreateOrders, ExportOrders, SubmitBatch
from gm_service.orders.export import ExportedFile
from gm_service.orders.formats import get_profile
from gm_service.orders.ledger import RowOutcome
from gm_service.orders.models import StoredFile, TimeConfig
from gm_service.orders.policy import Mode, choose_mode
from gm_service.orders.query import ExportRequest, OrderQuery, QueryType
from shared.context import new_id
from shared.database import DatabaseClock, in_read, in_write
from shared.errors import FileGone, Language
from shared.task_api.client import TaskClient
from shared.task_api.models import AddedTask, Task, TaskStatus, TaskType

log = structlog.get_logger(__name__)

EXPORT_BUSINESS_ID = 1
IMPORT_BUSINESS_ID = 2
EXPORT_DIR = "export"
"""below files_dir: where the worker's exports stand"""
SYNC_DIR = "sync"
"""below files_dir: where exports made at once stand"""
_BUSINESS_NAMES: dict[int, dict[Language, str]] = {
    EXPORT_BUSINESS_ID: {"en": "Order detail export", "zh": "订单明细导出"},
    IMPORT_BUSINESS_ID: {"en": "Order import", "zh": "订单导入"},
}
_EXPIRED_FILES_A_TIME = 20


class Station(Protocol):
    """The station that asks, as sign-in knows it."""

    @property
    def id(self) -> str:
        """The tenant's id."""
        ...

    @property
    def export_threshold(self) -> int | None:
        """Its own limit of sync exports; None where the service's applies."""
        ...


class TaskDispatcher(Protocol):
    """What gives a task to the platform."""

    def submit(
        self,
        *,
        station_id: str,
        task_name: str,
        input: Any,
        user_task_id: str | None = None,
        type: int = ...,
        business_id: int = ...,
        business_name: str = ...,
        repeat: bool = ...,
    ) -> AddedTask:
        """Add a task and have it started.

        Raises:
            Unavailable, IdReused: nothing was accepted.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExportAnswer:
    """What a caller of an export is told; one of `link` and `task_id` is given."""

    mode: Mode
    link: str | None = None
    task_id: int | None = None
    task_url: str | None = None


@dataclass(frozen=True, slots=True)
class OrderService:
    """What the routes of orders call."""

    engine: Engine
    settings: ServiceSettings
    dispatcher: TaskDispatcher
    task_client: TaskClient
    clock: DatabaseClock

    def export(self, station: Station, command: ExportOrders, language: Language, prefer_async: bool) -> ExportAnswer:
        """Make the export at once, or have a worker make it where many orders match.

        Raises:
            UnsupportedFormat, InvalidField: the request can't be served.
            RuleRefused: the station has no such operating cycle.
            StorageFull, Unavailable: not now.
        """
        request = self._to_request(station, command, language)
        threshold = self._threshold(station)
        matching = export.count_matching(
            self.engine, station.id, request.query, self.settings.zone, limit=threshold + 1
        )
        mode = choose_mode(matching, threshold, prefer_async)
        if mode.is_async:
            added = self._submit_export(request)
            return ExportAnswer(mode, task_id=added.task_id, task_url=self._task_url(added.task_id))
        return ExportAnswer(mode, link=self._export_now(request))

    def submit_batch(self, station: Station, command: SubmitBatch, language: Language) -> str:
        """Give an import to the platform and return the address to ask for its result.

        Submitted again with the same id and content it is the same import.

        Raises:
            RuleRefused, TooLarge: the submission as a whole can't be taken.
            IdReused: the id stands for another submission.
            Unavailable: nothing was accepted.
        """
        importing.check_batch(command.order_data, self.settings.max_batch_rows)
        in_read(self.engine, lambda c: importing.require_time_config(c, station.id, command.time_config_id))
        added = self.dispatcher.submit(
            station_id=station.id,
            task_name=self.settings.import_function,
            input={
                "import": "orders",
                "station_id": station.id,
                "time_config_id": command.time_config_id,
                "file_name": command.file_name,
                "order_data": command.order_data,
            },
            user_task_id=command.task_id,
            type=TaskType.IMPORT,
            business_id=IMPORT_BUSINESS_ID,
            business_name=_BUSINESS_NAMES[IMPORT_BUSINESS_ID][language],
            repeat=True,
        )
        return self._task_url(added.task_id)

    def list_time_configs(self, station: Station) -> list[TimeConfig]:
        """Return the station's operating cycles."""
        return in_read(self.engine, lambda connection: store.list_time_configs(connection, station.id))

    def create_orders(self, command: CreateOrders) -> list[RowOutcome]:
        """Create the orders of one chunk of an import; see `importing.create_orders`."""
        return importing.create_orders(self.engine, command, self.settings.zone)

    def find_sync_file(self, station: Station, key: str) -> StoredFile:
        """Return the station's own finished sync export.

        Raises:
            FileGone: it never was, is another station's, has expired, or was removed.
        """
        found = in_read(self.engine, lambda c: store.find_export_file(c, self.clock, station.id, key))
        if found is None:
            raise FileGone()
        return self._require_file(found, SYNC_DIR)

    def find_async_file(self, station: Station, task_id: int) -> StoredFile:
        """Return the file that an export task of the station made.

        Raises:
            TaskNotFound: there is no such task, or it is another station's.
            FileGone: it made no file (yet), or its time is over.
        """
        task = self.task_client.get(task_id=task_id, station_id=station.id)
        result = task.result
        if task.status != TaskStatus.FINISHED or not isinstance(result, dict) or self._has_expired(task):
            raise FileGone()
        file, file_name = result.get("file"), result.get("file_name")
        if not isinstance(file, str) or not isinstance(file_name, str):
            raise FileGone()
        return self._require_file(StoredFile(file, file_name), EXPORT_DIR)

    def remove_expired_files(self) -> int:
        """Remove some sync exports whose time is over and return how many; called on each new one."""
        expired = in_read(self.engine, lambda c: store.list_expired_files(c, self.clock, _EXPIRED_FILES_A_TIME))
        for file in expired.values():
            (self.settings.files_dir / file).unlink(missing_ok=True)
        if expired:
            in_write(self.engine, lambda c: store.delete_export_files(c, expired))
        return len(expired)

    def _to_request(self, station: Station, command: ExportOrders, language: Language) -> ExportRequest:
        profile = get_profile(command.format)
        query = command.to_query(self.settings.zone)
        if query.time_config_id is not None:
            cycle_id = query.time_config_id
            in_read(self.engine, lambda c: importing.require_time_config(c, station.id, cycle_id))
        return ExportRequest(
            station_id=station.id,
            query=query,
            format=profile.name,
            file_name=_file_name(query, profile.kind, language),
            language=language,
        )

    def _threshold(self, station: Station) -> int:
        return self.settings.export_threshold if station.export_threshold is None else station.export_threshold

    def _submit_export(self, request: ExportRequest) -> AddedTask:
        return self.dispatcher.submit(
            station_id=request.station_id,
            task_name=self.settings.export_function,
            input=request.to_json(),
            type=TaskType.EXPORT,
            business_id=EXPORT_BUSINESS_ID,
            business_name=_BUSINESS_NAMES[EXPORT_BUSINESS_ID][request.language],
            repeat=True,
        )

    def _export_now(self, request: ExportRequest) -> str:
        self.remove_expired_files()
        key = new_id()
        made = export.export_to_file(
            self.engine, request, self.settings.zone, directory=self.settings.files_dir / SYNC_DIR, name=key
        )
        in_write(self.engine, lambda connection: self._record(connection, key, request.station_id, made))
        return f"{self.settings.public_url}/station/download/sync/{key}"

    def _record(self, connection: Any, key: str, station_id: str, made: ExportedFile) -> None:
        store.insert_export_file(
            connection,
            self.clock,
            self.settings.link_seconds,
            id=key,
            station_id=station_id,
            file=made.path.relative_to(self.settings.files_dir).as_posix(),
            file_name=made.file_name,
            bytes=made.bytes,
            sha256=made.sha256,
        )

    def _require_file(self, stored: StoredFile, folder: str) -> StoredFile:
        """See that the file is there and in its folder, whatever the row says."""
        path = (self.settings.files_dir / stored.file).resolve()
        allowed: Path = (self.settings.files_dir / folder).resolve()
        if not path.is_relative_to(allowed) or not path.is_file():
            raise FileGone()
        return stored

    def _has_expired(self, task: Task) -> bool:
        ended = task.end_time
        return ended is None or datetime.now(UTC) > ended + timedelta(seconds=self.settings.link_seconds)

    def _task_url(self, task_id: int) -> str:
        return f"{self.settings.public_url}/async_task/get?task_id={task_id}"


def _file_name(query: OrderQuery, extension: str, language: Language) -> str:
    """Return what people see in their download folder."""
    by_cycle = query.query_type is QueryType.OPERATING_CYCLE
    first = query.cycle_start_time if by_cycle else query.start_date
    last = query.cycle_end_time if by_cycle else query.end_date
    title = "订单明细" if language == "zh" else "orderdetail"
    return f"{title}_{first:%Y%m%d}-{last:%Y%m%d}.{extension}"
