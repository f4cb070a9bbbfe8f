"""Streams matching orders from one consistent snapshot into a file that appears only when it is whole.

Sync exports and the script that the worker runs both come through `export_to_file`, so their files are equal.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

from gm_service.orders import store
from gm_service.orders.exports.profiles import Profile, get_profile
from gm_service.orders.exports.rows import OrderDetail
from gm_service.orders.exports.writers import open_writer
from gm_service.orders.models import Order, OrderLine
from gm_service.orders.query import ExportRequest, OrderQuery
from gm_service.yongyou import DEFAULTS, YongyouSettings
from shared.database import to_zone
from shared.errors import Language, StorageFull, Unavailable

Progress = Callable[[int, int], None]
"""Called with the orders written so far and the orders in all."""

MIN_FREE_BYTES = 16 * 1024 * 1024
_PROGRESS_ORDERS = 100
_LINES_A_BUNCH = 5_000
# EFBIG: the process' own limit on file sizes, as a quota is for all that the reader can do about it.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Written:
    """What went into a file."""

    orders: int
    rows: int


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A finished export."""

    path: Path
    file_name: str
    """what people see"""
    orders: int
    rows: int
    bytes: int
    sha256: str

    def to_json(self, files_dir: Path) -> dict[str, Any]:
        """Return the task's result; the file stands there as its path below `files_dir`."""
        return {
            "file": self.path.relative_to(files_dir).as_posix(),
            "file_name": self.file_name,
            "rows": self.rows,
            "orders": self.orders,
            "bytes": self.bytes,
            "sha256": self.sha256,
        }


@contextmanager
def open_snapshot(engine: Engine) -> Iterator[Connection]:
    """Open one view of the database that later changes don't touch and that blocks no writer.

    Raises:
        Unavailable: the database is away.
    """
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    try:
        with engine.connect().execution_options(read_only=True, **options) as connection, connection.begin():
            yield connection
    except OperationalError as error:
        raise Unavailable(what="database") from error


def count_matching(engine: Engine, station_id: str, query: OrderQuery, zone: ZoneInfo, limit: int) -> int:
    """Return how many orders match, counting no further than `limit`."""
    with open_snapshot(engine) as connection:
        return store.count_orders(connection, station_id, query, zone, limit)


def iter_orders(
    connection: Connection, station_id: str, query: OrderQuery, zone: ZoneInfo
) -> Iterator[list[OrderDetail]]:
    """Yield each matching order as its rows, one a line; memory holds a page of orders and a bunch's lines."""
    cycle_names = {cycle.id: cycle.name for cycle in store.list_time_configs(connection, station_id)}
    for page in store.iter_order_pages(connection, station_id, query, zone):
        for bunch in bunch_orders(page, _LINES_A_BUNCH):
            lines = store.list_lines(connection, [order.id for order in bunch])
            for order in bunch:
                cycle_name = cycle_names.get(order.time_config_id, order.time_config_id)
                yield _to_details(order, lines.get(order.id, []), cycle_name, zone)


def bunch_orders(page: Sequence[Order], max_lines: int) -> Iterator[list[Order]]:
    """Yield the orders of a page in bunches of at most `max_lines` lines, or of one order that has more."""
    bunch: list[Order] = []
    lines = 0
    for order in page:
        if bunch and lines + order.line_count > max_lines:
            yield bunch
            bunch, lines = [], 0
        bunch.append(order)
        lines += order.line_count
    if bunch:
        yield bunch


def write_orders(
    orders: Iterable[list[OrderDetail]],
    file: IO[bytes],
    profile: Profile,
    *,
    language: Language,
    progress: Callable[[int], None] | None = None,
    yongyou: YongyouSettings = DEFAULTS,
) -> Written:
    """Write the orders as `profile` says; `progress` hears of the orders written from time to time.

    Raises:
        OSError: the disk is full, or the folder can't be written to.
    """
    writer = open_writer(profile, file, language, yongyou)
    order_count = row_count = 0
    for rows in orders:
        writer.write_order(rows)
        order_count += 1
        row_count += len(rows)
        if progress and order_count % _PROGRESS_ORDERS == 0:
            progress(order_count)
    writer.close()
    return Written(order_count, row_count)


def export_to_file(
    engine: Engine,
    request: ExportRequest,
    zone: ZoneInfo,
    *,
    directory: Path,
    name: str,
    progress: Progress | None = None,
) -> ExportedFile:
    """Make the file `name` in `directory`, which then holds either the whole of it or nothing.

    A file of that name is replaced. `name` gets the format's extension.

    Raises:
        UnsupportedFormat: there is no such format.
        StorageFull: the disk is full; nothing is left behind.
        Unavailable: the database is away.
    """
    profile = get_profile(request.format)
    with _storage_errors():
        directory.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(directory).free < MIN_FREE_BYTES:
            raise StorageFull()
        final = directory / f"{name}.{profile.kind}"
        # Everything unfinished stands in here, so that one removal clears it, a killed run's included.
        with tempfile.TemporaryDirectory(prefix=f".{name}.", suffix=".tmp", dir=directory) as scratch:
            unfinished = Path(scratch) / final.name
            written, size, sha256 = _write_whole(
                engine, request, zone, profile=profile, unfinished=unfinished, progress=progress
            )
            unfinished.rename(final)
            _sync_directory(directory)
    return ExportedFile(final, request.file_name, written.orders, written.rows, size, sha256)


class _Told:
    """Passes on how many orders are written, together with how many there are; nobody may be listening."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total

    def __call__(self, done: int) -> None:
        if self._progress:
            self._progress(done, self._total)


def _write_whole(
    engine: Engine,
    request: ExportRequest,
    zone: ZoneInfo,
    *,
    profile: Profile,
    unfinished: Path,
    progress: Progress | None,
) -> tuple[Written, int, str]:
    """Write the file and return what is in it, its bytes and its sha256; it is on the disk then."""
    with unfinished.open("w+b") as file:
        with open_snapshot(engine) as connection:
            total = store.count_orders(connection, request.station_id, request.query, zone) if progress else 0
            told = _Told(progress, total)
            told(0)
            orders = iter_orders(connection, request.station_id, request.query, zone)
            written = write_orders(
                orders, file, profile, language=request.language, progress=told, yongyou=request.yongyou
            )
            told(written.orders)
        file.flush()
        os.fsync(file.fileno())
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        return written, size, hashlib.file_digest(file, "sha256").hexdigest()


def _to_details(order: Order, lines: Sequence[OrderLine], cycle_name: str, zone: ZoneInfo) -> list[OrderDetail]:
    """Return a row for each line. A million lines come through here: what is the order's own is made ready before."""
    local = to_zone(order.order_time, zone)
    assert local is not None  # noqa: S101 the column is not null
    local = local.replace(tzinfo=None)
    return [
        OrderDetail(
            order.order_no,
            local,
            order.receive_date,
            cycle_name,
            order.status,
            order.buyer_code,
            order.buyer_name,
            order.area,
            line_no,
            sku_code,
            sku_name,
            quantity,
            unit,
            unit_price,
            amount,
            order.remark,
        )
        for _order_id, line_no, sku_code, sku_name, unit, quantity, unit_price, amount in lines
    ]


def _sync_directory(directory: Path) -> None:
    """Make the rename itself survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull() from error
        raise
