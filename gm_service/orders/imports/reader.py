"""What people look at of imports: file names beside tasks, and rows page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection, Engine

from gm_service.orders.imports.ledger import Import
from gm_service.orders.imports.models import RowState, order_import, order_import_row
from shared.database import in_read
from shared.errors import Language
from shared.web import strict_json

_STATES = {
    "waiting": (RowState.WAITING,),
    "created": (RowState.CREATED,),
    "failed": (RowState.FAILED,),
    "open": (RowState.WAITING, RowState.FAILED),
    None: tuple(RowState),
}


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row as people see it, with what was submitted."""

    index: int
    """place in the submission, from 0"""
    sheet_row: int | None
    """place in the clerk's file, from 1"""
    state: str
    attempt: int
    order: Any
    """as it was submitted last"""
    cells: list[list[Any]] | None
    """its cells in the clerk's file, one list a row there"""
    order_id: int | None
    code: str | None
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
        """Return the file names of the station's imports, by task id."""
        if not task_ids:
            return {}
        wanted = (order_import.c.station_id == station_id) & order_import.c.task_id.in_(task_ids)
        statement = select(order_import.c.task_id, order_import.c.file_name).where(wanted)
        return in_read(self.engine, lambda connection: {row[0]: row[1] for row in connection.execute(statement)})

    def list_rows(
        self, batch: Import, language: Language, *, state: str | None = None, after: int = -1, limit: int | None = None
    ) -> list[ShownRow]:
        """Return rows of an import in the order of its submission, told in the reader's language.

        `state` is waiting, created, failed or open; `after` is the last index of the page before.
        """
        statement = _select(language).where(
            order_import_row.c.import_id == batch.id,
            order_import_row.c.state.in_([int(each) for each in _STATES[state]]),
            order_import_row.c.row_index > after,
        )
        page = statement.order_by(order_import_row.c.row_index).limit(limit)

        def read(connection: Connection) -> list[ShownRow]:
            return [_shown(row) for row in connection.execute(page)]

        return in_read(self.engine, read)


def _select(language: Language) -> Any:
    row = order_import_row.c
    return select(
        row.row_index,
        row.sheet_row,
        row.state,
        row.attempt,
        row.original,
        row.cells,
        row.order_id,
        row.code,
        row.column_name,
        row.value,
        row.reason_zh if language == "zh" else row.reason,
    )


def _shown(row: Any) -> ShownRow:
    index, sheet_row, state, attempt, original, cells, *others = row
    return ShownRow(
        index,
        sheet_row,
        RowState(state).name.lower(),
        attempt,
        strict_json.loads(original),
        None if cells is None else strict_json.loads(cells),
        *others,
    )
