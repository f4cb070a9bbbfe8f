"""SQL of finished sync exports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from gm_service.orders.exports.models import StoredFile, export_file
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
