"""The use cases of exports: make one at once or have a worker make it, and hand out the files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.engine import Engine

from gm_service.config import ServiceSettings
from gm_service.orders.collaborators import Station, TaskDispatcher, task_url
from gm_service.orders.cycles import require_time_config
from gm_service.orders.exports import making, store
from gm_service.orders.exports.commands import ExportOrders
from gm_service.orders.exports.joining import submit_once
from gm_service.orders.exports.making import ExportedFile
from gm_service.orders.exports.models import StoredFile
from gm_service.orders.exports.profiles import Profile, get_profile
from gm_service.orders.policy import Mode, choose_mode, joined_mode
from gm_service.orders.query import ExportRequest, OrderQuery, QueryType
from gm_service.yongyou import DEFAULTS
from shared.context import new_id
from shared.database import DatabaseClock, in_read, in_write
from shared.errors import FileGone, Language
from shared.files.names import EXPORT_DIR, SYNC_DIR
from shared.files.store import FileStore
from shared.task_api.client import TaskClient
from shared.task_api.models import AddedTask, Task, TaskStatus, TaskType

EXPORT_BUSINESS_ID = 1
_BUSINESS_NAME: dict[Language, str] = {"en": "Order detail export", "zh": "订单明细导出"}
_EXPIRED_FILES_A_TIME = 20
MOST_COUNTED = 100_000
"""orders, before an export is made"""


@dataclass(frozen=True, slots=True)
class ExportAnswer:
    """What a caller of an export is told; one of `link` and `task_id` is given."""

    mode: Mode
    link: str | None = None
    task_id: int | None = None
    task_url: str | None = None


@dataclass(frozen=True, slots=True)
class ExportForecast:
    """What an export would be."""

    orders: int
    is_more: bool
    """there are more orders than were counted"""
    is_async: bool


@dataclass(frozen=True, slots=True)
class ExportService:
    """What the routes of exports and downloads call."""

    engine: Engine
    settings: ServiceSettings
    dispatcher: TaskDispatcher
    task_client: TaskClient
    clock: DatabaseClock
    files: FileStore

    def export(
        self,
        station: Station,
        command: ExportOrders,
        language: Language,
        prefer_async: bool,
        submitted_by: str | None = None,
    ) -> ExportAnswer:
        """Make the export at once, or have a worker make it where many orders match.

        Raises:
            UnsupportedFormat, InvalidField: the request can't be served.
            RuleRefused: the station has no such operating cycle.
            StorageFull, Unavailable, FileStoreRefused: not now.
        """
        request = self._to_request(station, command, language)
        self.remove_expired_files()
        threshold = self._threshold(station)
        matching = making.count_matching(
            self.engine, station.id, request.query, self.settings.zone, limit=threshold + 1
        )
        mode = choose_mode(matching, threshold, prefer_async)
        if mode.is_async:
            submit = partial(self._submit_export, request, submitted_by)
            joined = submit_once(self.engine, self.task_client, request, submit)
            told = joined_mode() if joined.is_joined else mode
            address = task_url(self.settings.public_url, joined.task_id)
            return ExportAnswer(told, task_id=joined.task_id, task_url=address)
        return ExportAnswer(mode, link=self._export_now(request))

    def count(self, station: Station, command: ExportOrders, language: Language) -> ExportForecast:
        """Say how many orders an export would hold and how it would be made; nothing is made.

        Raises:
            UnsupportedFormat, InvalidField, RuleRefused, Unavailable: as `export`.
        """
        query = self._to_request(station, command, language).query
        counted = making.count_matching(self.engine, station.id, query, self.settings.zone, limit=MOST_COUNTED + 1)
        mode = choose_mode(counted, self._threshold(station), prefer_async=False)
        return ExportForecast(min(counted, MOST_COUNTED), counted > MOST_COUNTED, mode.is_async)

    def find_sync_file(self, station: Station, key: str) -> StoredFile:
        """Return the station's own finished sync export.

        Raises:
            FileGone: it never was, is another station's, has expired, or was removed.
            FileStoreAway, FileStoreRefused: nobody can tell.
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
            FileStoreAway, FileStoreRefused: nobody can tell.
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
        """Remove some exports whose time is over, and what killed runs left; return how many. Each export calls it."""
        expired = in_read(self.engine, lambda c: store.list_expired_files(c, self.clock, _EXPIRED_FILES_A_TIME))
        gone = set(self.files.remove(expired.values())) if expired else set()
        removed = [key for key, file in expired.items() if file in gone]
        if removed:
            in_write(self.engine, lambda c: store.delete_export_files(c, removed))
        folders, keep_seconds = (EXPORT_DIR, SYNC_DIR), self.settings.link_seconds
        return len(removed) + sum(self.files.remove_old(each, time.time(), keep_seconds) for each in folders)

    def _to_request(self, station: Station, command: ExportOrders, language: Language) -> ExportRequest:
        profile = get_profile(command.format)
        query = command.to_query(self.settings.zone)
        if query.time_config_id is not None:
            cycle_id = query.time_config_id
            in_read(self.engine, lambda c: require_time_config(c, station.id, cycle_id))
        return ExportRequest(
            station_id=station.id,
            query=query,
            format=profile.name,
            file_name=_file_name(query, profile, language),
            language=language,
            yongyou=(profile.is_for_u8 and self.settings.yongyou) or DEFAULTS,
        )

    def _threshold(self, station: Station) -> int:
        return self.settings.export_threshold if station.export_threshold is None else station.export_threshold

    def _submit_export(self, request: ExportRequest, submitted_by: str | None, user_task_id: str) -> AddedTask:
        return self.dispatcher.submit(
            user_task_id=user_task_id,
            station_id=request.station_id,
            task_name=self.settings.export_function,
            input=request.to_json(),
            type=TaskType.EXPORT,
            business_id=EXPORT_BUSINESS_ID,
            business_name=_BUSINESS_NAME[request.language],
            repeat=True,
            submitted_by=submitted_by,
            file_name=request.file_name,
        )

    def _export_now(self, request: ExportRequest) -> str:
        key = new_id()
        made = making.export_to_file(
            self.engine, request, self.settings.zone, directory=self.settings.files_dir / SYNC_DIR, name=key
        )
        file = made.path.relative_to(self.settings.files_dir).as_posix()
        self.files.keep(file, sha256=made.sha256)
        in_write(self.engine, lambda connection: self._record(connection, key, request.station_id, file, made))
        return f"{self.settings.public_url}/station/download/sync/{key}"

    def _record(self, connection: Any, key: str, station_id: str, file: str, made: ExportedFile) -> None:
        store.insert_export_file(
            connection,
            self.clock,
            self.settings.link_seconds,
            id=key,
            station_id=station_id,
            file=file,
            file_name=made.file_name,
            bytes=made.bytes,
            sha256=made.sha256,
        )

    def _require_file(self, stored: StoredFile, folder: str) -> StoredFile:
        self.files.require(stored.file, folder)
        return stored

    def _has_expired(self, task: Task) -> bool:
        ended = task.end_time
        return ended is None or datetime.now(UTC) > ended + timedelta(seconds=self.settings.link_seconds)


def _file_name(query: OrderQuery, profile: Profile, language: Language) -> str:
    """Return what people see in their download folder."""
    by_cycle = query.query_type is QueryType.OPERATING_CYCLE
    first = query.cycle_start_time if by_cycle else query.start_date
    last = query.cycle_end_time if by_cycle else query.end_date
    return f"{profile.file_title(language)}_{first:%Y%m%d}-{last:%Y%m%d}.{profile.kind}"
