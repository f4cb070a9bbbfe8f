"""SQL of the row ledger's rows: what was submitted, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from gm_service.orders.imports.models import RowState, order_import_row
from gm_service.orders.models import orders
from shared.web import strict_json

_ROWS_A_QUERY = 500
_MAX_CHARACTERS = 400_000
"""of rows attempted at once: orders of a thousand lines each would take seconds, and a stop waits for them"""


@dataclass(frozen=True, slots=True)
class SubmittedRow:
    """A row as somebody submitted it."""

    order: Any
    """any JSON value: what is wrong with it is found when it is attempted"""
    sheet_row: int | None = None
    """where it stands in the file, from 1; None where there was no file"""
    cells: list[list[Any]] | None = None
    """its cells there, one list a row of the file"""


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of a row; the fields stand as they are selected."""

    index: int
    state: RowState
    attempt: int = 0
    order_id: int | None = None
    code: str | None = None
    column: str | None = None
    value: str | None = None
    reason: str | None = None
    reason_zh: str | None = None
    sheet_row: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as a task's result has it; what it doesn't have is left out."""
        given = {
            "order_id": self.order_id,
            "sheet_row": self.sheet_row,
            "code": self.code,
            "column": self.column,
            "value": self.value,
            "reason": self.reason,
            "reason_zh": self.reason_zh,
        }
        shown = {name: value for name, value in given.items() if value is not None}
        return {"index": self.index, "state": self.state.name.lower(), "attempt": self.attempt, **shown}


_ROW = order_import_row.c
_OUTCOME = (
    _ROW.row_index,
    _ROW.state,
    _ROW.attempt,
    _ROW.order_id,
    _ROW.code,
    _ROW.column_name,
    _ROW.value,
    _ROW.reason,
    _ROW.reason_zh,
    _ROW.sheet_row,
)


def insert_rows(connection: Connection, import_id: int, rows: Sequence[SubmittedRow], first: int = 0) -> None:
    """Enter rows as waiting, from index `first` on."""
    values = [
        {
            "import_id": import_id,
            "row_index": index,
            "state": int(RowState.WAITING),
            "attempt": 0,
            "original": strict_json.dumps(row.order),
            "sheet_row": row.sheet_row,
            "cells": None if row.cells is None else strict_json.dumps(row.cells),
            "version": 1,
        }
        for index, row in enumerate(rows, start=first)
    ]
    for start in range(0, len(values), _ROWS_A_QUERY):
        connection.execute(insert(order_import_row), values[start : start + _ROWS_A_QUERY])


def list_waiting(connection: Connection, import_id: int, limit: int) -> dict[int, Any]:
    """Return the next rows that nobody has attempted, as submitted, by index; fewer than `limit` where they are big."""
    statement = (
        select(_ROW.row_index, _ROW.original)
        .where(_ROW.import_id == import_id, _ROW.state == int(RowState.WAITING))
        .order_by(_ROW.row_index)
        .limit(limit)
    )
    waiting: dict[int, Any] = {}
    characters = 0
    for index, original in connection.execute(statement).all():
        characters += len(original)
        if waiting and characters > _MAX_CHARACTERS:
            break
        waiting[index] = strict_json.loads(original)
    return waiting


def list_originals(connection: Connection, import_id: int, indexes: Iterable[int]) -> dict[int, Any]:
    """Return these rows as they were submitted last, by index."""
    found = _in_parts(connection, select(_ROW.row_index, _ROW.original), import_id, indexes)
    return {index: strict_json.loads(original) for index, original in found}


def list_outcomes(
    connection: Connection, import_id: int, indexes: Iterable[int] | None = None, *, newer_than: int = 0
) -> list[RowOutcome]:
    """Return what became of the rows, by index: of all, of these, or of those changed since a version."""
    if indexes is not None:
        found = _in_parts(connection, select(*_OUTCOME), import_id, indexes)
    else:
        wanted = (_ROW.import_id == import_id, _ROW.version > newer_than)
        found = list(connection.execute(select(*_OUTCOME).where(*wanted)))
    outcomes = (RowOutcome(row[0], RowState(row[1]), *row[2:]) for row in found)
    return sorted(outcomes, key=lambda outcome: outcome.index)


def mark_created(connection: Connection, import_id: int, task_id: int, indexes: Sequence[int], version: int) -> None:
    """Note of these rows that their orders exist, whatever stood there before; each counts as an attempt."""
    order_id = (
        select(orders.c.id)
        .where(orders.c.task_id == task_id, orders.c.row_index == _ROW.row_index)
        .correlate(order_import_row)
        .scalar_subquery()
    )
    nothing = dict.fromkeys(("code", "column_name", "value", "reason", "reason_zh"))
    for start in range(0, len(indexes), _ROWS_A_QUERY):
        connection.execute(
            update(order_import_row)
            .where(_ROW.import_id == import_id, _ROW.row_index.in_(indexes[start : start + _ROWS_A_QUERY]))
            .values(
                state=int(RowState.CREATED),
                attempt=_ROW.attempt + 1,
                order_id=order_id,
                version=version,
                **nothing,
            )
        )


def mark_failed(connection: Connection, import_id: int, outcomes: Sequence[RowOutcome], version: int) -> None:
    """Note why these rows became no orders; each counts as an attempt."""
    if not outcomes:
        return
    statement = (
        update(order_import_row)
        .where(_ROW.import_id == import_id, _ROW.row_index == bindparam("place"))
        .values(
            state=int(RowState.FAILED),
            attempt=_ROW.attempt + 1,
            version=version,
            code=bindparam("new_code"),
            column_name=bindparam("new_column"),
            value=bindparam("new_value"),
            reason=bindparam("new_reason"),
            reason_zh=bindparam("new_reason_zh"),
        )
    )
    values = [
        {
            "place": each.index,
            "new_code": each.code,
            "new_column": each.column,
            "new_value": each.value,
            "new_reason": each.reason,
            "new_reason_zh": each.reason_zh,
        }
        for each in outcomes
    ]
    connection.execute(statement, values)


def replace_originals(connection: Connection, import_id: int, corrected: dict[int, SubmittedRow]) -> None:
    """Keep these rows as they were corrected, by index; where they stand in the clerk's file stays."""
    if not corrected:
        return
    statement = (
        update(order_import_row)
        .where(_ROW.import_id == import_id, _ROW.row_index == bindparam("place"))
        .values(original=bindparam("new_original"), cells=bindparam("new_cells"))
    )
    values = [
        {
            "place": index,
            "new_original": strict_json.dumps(row.order),
            "new_cells": None if row.cells is None else strict_json.dumps(row.cells),
        }
        for index, row in corrected.items()
    ]
    connection.execute(statement, values)


def _in_parts(connection: Connection, statement: Any, import_id: int, indexes: Iterable[int]) -> list[Any]:
    wanted = sorted(set(indexes))
    found: list[Any] = []
    for start in range(0, len(wanted), _ROWS_A_QUERY):
        part = _ROW.row_index.in_(wanted[start : start + _ROWS_A_QUERY])
        found += connection.execute(statement.where(_ROW.import_id == import_id, part)).all()
    return found
