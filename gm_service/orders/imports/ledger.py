"""SQL of the row ledger: which run of an import may write, and what became of each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from gm_service.orders.imports.models import RowState, import_batch, import_row
from shared.database import DatabaseClock


@dataclass(frozen=True, slots=True)
class Batch:
    """An import that the ledger knows."""

    station_id: str
    time_config_id: str
    run_count: int
    total: int


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of a row; None throughout where its order exists."""

    index: int
    state: RowState
    order_id: int | None = None
    code: str | None = None
    column: str | None = None
    value: str | None = None
    reason: str | None = None
    reason_zh: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as the worker gets it."""
        return {
            "index": self.index,
            "state": self.state.name.lower(),
            "order_id": self.order_id,
            "code": self.code,
            "column": self.column,
            "value": self.value,
            "reason": self.reason,
            "reason_zh": self.reason_zh,
        }


def raise_run_count(connection: Connection, task_id: int, run_count: int) -> bool:
    """Let run `run_count` write, locking the batch; False where it is unknown or a later run was seen."""
    statement = (
        update(import_batch)
        .where(import_batch.c.task_id == task_id, import_batch.c.run_count <= run_count)
        .values(run_count=run_count)
    )
    return connection.execute(statement).rowcount == 1


def find_batch(connection: Connection, task_id: int) -> Batch | None:
    """Return what is known of an import."""
    columns = (
        import_batch.c.station_id,
        import_batch.c.time_config_id,
        import_batch.c.run_count,
        import_batch.c.total,
    )
    row = connection.execute(select(*columns).where(import_batch.c.task_id == task_id)).one_or_none()
    return Batch(*row) if row else None


def insert_batch(connection: Connection, **columns: Any) -> None:
    """Make an import known.

    Raises:
        IntegrityError: another run did so at the same moment.
    """
    connection.execute(insert(import_batch).values(created_at=DatabaseClock().now(), **columns))


def list_rows(connection: Connection, task_id: int, indexes: Sequence[int]) -> dict[int, RowOutcome]:
    """Return what the ledger has of these rows, by index."""
    columns = (
        import_row.c.row_index,
        import_row.c.state,
        import_row.c.order_id,
        import_row.c.code,
        import_row.c.column_name,
        import_row.c.value,
        import_row.c.reason,
        import_row.c.reason_zh,
    )
    statement = select(*columns).where(import_row.c.task_id == task_id, import_row.c.row_index.in_(indexes))
    return {row.row_index: RowOutcome(row[0], RowState(row[1]), *row[2:]) for row in connection.execute(statement)}


def insert_rows(
    connection: Connection, task_id: int, outcomes: Sequence[RowOutcome], originals: dict[int, str]
) -> None:
    """Enter the first attempt of these rows; `originals` are the rows as submitted, JSON, by index.

    Raises:
        IntegrityError: a row is in the ledger already.
    """
    rows = [
        {
            "task_id": task_id,
            "row_index": outcome.index,
            "state": int(outcome.state),
            "attempt": 1,
            "order_id": outcome.order_id,
            "code": outcome.code,
            "column_name": outcome.column,
            "value": outcome.value,
            "reason": outcome.reason,
            "reason_zh": outcome.reason_zh,
            "original": originals[outcome.index],
        }
        for outcome in outcomes
    ]
    connection.execute(insert(import_row), rows)
