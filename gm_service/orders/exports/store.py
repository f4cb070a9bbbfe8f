"""SQL of exports: finished sync ones, and which task made a request last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from gm_service.orders.exports.models import StoredFile, export_file, export_request
from shared.database import DatabaseClock


def insert_export_file(connection: Connection, clock: DatabaseClock, link_seconds: int, **columns: Any) -> None:
    """Record a finished sync export that can be downloaded for `link_seconds`."""
    connection.execute(
        insert(export_file).values(created_at=clock.now(), expires_at=clock.after(link_seconds), **columns)
    )


def find_export_file(connection: Connection, clock: DatabaseClock, station_id: str, key: str) -> StoredFile | None:
    """Return the station's export of that key, None where it never was or has expired."""
    statement = select(export_file.c.file, export_file.c.file_name).where(
        export_file.c.id == key, export_file.c.station_id == station_id, export_file.c.expires_at > clock.now()
    )
    row = connection.execute(statement).one_or_none()
    return StoredFile(*row) if row else None


def list_expired_files(connection: Connection, clock: DatabaseClock, limit: int) -> dict[str, str]:
    """Return some expired exports' files by their key, of every station."""
    statement = select(export_file.c.id, export_file.c.file).where(export_file.c.expires_at <= clock.now()).limit(limit)
    return {row.id: row.file for row in connection.execute(statement)}


def delete_export_files(connection: Connection, keys: Iterable[str]) -> None:
    """Forget these exports."""
    connection.execute(delete(export_file).where(export_file.c.id.in_(list(keys))))


def find_last_task(connection: Connection, station_id: str, sha256: str) -> int | None:
    """Return the task that was asked for this request last."""
    found = connection.execute(select(export_request.c.task_id).where(*_request(station_id, sha256))).one_or_none()
    return int(found[0]) if found else None


def note_last_task(connection: Connection, station_id: str, sha256: str, task_id: int) -> None:
    """Note which task was asked for this request.

    Raises:
        IntegrityError: another request noted the first one at the same moment.
    """
    noted = connection.execute(update(export_request).where(*_request(station_id, sha256)).values(task_id=task_id))
    if noted.rowcount == 0:
        connection.execute(insert(export_request).values(station_id=station_id, sha256=sha256, task_id=task_id))


def _request(station_id: str, sha256: str) -> tuple[Any, Any]:
    return (export_request.c.station_id == station_id, export_request.c.sha256 == sha256)
