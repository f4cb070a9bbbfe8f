"""What the pages show of imports beside their tasks, read from the row ledger: file names and failed rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.engine import Connection, Engine

from gm_service.orders.imports.models import RowState, import_batch, import_row
from shared.database import in_read
from shared.errors import Language, TaskNotFound
from shared.web import strict_json

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A row that became no order."""

    index: int
    """place in the submission, from 0"""
    order_no: str | None
    """as it was submitted, cut to what a table can show; None where the row has none"""
    column: str | None
    value: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ImportReader:
    """Reads the ledger; the database of orders is the only one it asks.

    Raises (all): Unavailable when the database is away.
    """

    engine: Engine

    def find_file_names(self, station_id: str, task_ids: Sequence[int]) -> dict[int, str]:
        """Return the file names of those imports of the station that have begun, by task id."""
        if not task_ids:
            return {}
        wanted = (import_batch.c.station_id == station_id) & import_batch.c.task_id.in_(task_ids)
        statement = select(import_batch.c.task_id, import_batch.c.file_name).where(wanted)
        return in_read(self.engine, lambda connection: {row[0]: row[1] for row in connection.execute(statement)})

    def list_failed_rows(self, station_id: str, task_id: int, language: Language) -> list[FailedRow]:
        """Return the failed rows of an import of the station, in the order of its file.

        Raises:
            TaskNotFound: the station has no such import, or none of it was looked at yet.
        """

        def read(connection: Connection) -> list[FailedRow]:
            owner = select(import_batch.c.station_id).where(import_batch.c.task_id == task_id)
            if connection.scalar(owner) != station_id:
                raise TaskNotFound()
            return _read_failed(connection, task_id, language)

        return in_read(self.engine, read)


def _read_failed(connection: Connection, task_id: int, language: Language) -> list[FailedRow]:
    row = import_row.c
    reason = row.reason_zh if language == "zh" else row.reason
    statement = (
        select(row.row_index, row.original, row.column_name, row.value, reason)
        .where(row.task_id == task_id, row.state == int(RowState.FAILED))
        .order_by(row.row_index)
    )
    return [
        FailedRow(index, _order_no(original), column, value, told)
        for index, original, column, value, told in connection.execute(statement)
    ]


def _order_no(original: str) -> str | None:
    submitted = strict_json.loads(original)
    given = submitted.get("order_no") if isinstance(submitted, dict) else None
    return None if given is None else str(given)[:_SHOWN_CHARACTERS]
