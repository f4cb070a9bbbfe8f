"""SQL of the row ledger's imports: whose they are, which run may write, and how far they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from gm_service.orders.imports.models import RowState, order_import, order_import_row
from shared.database import DatabaseClock
from shared.web import strict_json


@dataclass(frozen=True, slots=True)
class Import:
    """An import that the ledger knows; the fields stand as they are selected."""

    id: int
    station_id: str
    submission: str | None
    task_id: int | None
    time_config_id: str
    file_name: str
    sha256: str | None
    total: int
    version: int
    closed_run: int
    """the last run that may write no more, as somebody amended the import after it; 0: none"""
    titles: tuple[str, ...] | None
    """the columns of the clerk's file; None where the rows came as JSON"""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of an import are in each state."""

    total: int
    created: int
    failed: int

    @property
    def waiting(self) -> int:
        """Rows not attempted yet."""
        return self.total - self.created - self.failed

    def to_json(self) -> dict[str, int]:
        """Return the counts under the names of a task's result."""
        return {
            "total": self.total,
            "created": self.created,
            "failed": self.failed,
            "not_attempted": self.waiting,
        }


_COLUMNS = (
    order_import.c.id,
    order_import.c.station_id,
    order_import.c.submission,
    order_import.c.task_id,
    order_import.c.time_config_id,
    order_import.c.file_name,
    order_import.c.sha256,
    order_import.c.total,
    order_import.c.version,
    order_import.c.closed_run,
    order_import.c.titles,
)


def insert_import(connection: Connection, *, titles: Sequence[str] | None, **columns: Any) -> int:
    """Make an import known and return its id.

    Raises:
        IntegrityError: the station has a submission of that id already.
    """
    fixed = {
        "run_count": 0,
        "closed_run": 0,
        "version": 1,
        "titles": None if titles is None else strict_json.dumps(list(titles)),
        "created_at": DatabaseClock().now(),
    }
    inserted = connection.execute(insert(order_import).values(**columns, **fixed)).inserted_primary_key
    assert inserted is not None  # noqa: S101 both databases number the row
    return int(inserted[0])


def find_by_id(connection: Connection, import_id: int) -> Import | None:
    """Return an import of whatever station."""
    return _find(connection, order_import.c.id == import_id)


def find_by_task(connection: Connection, station_id: str, task_id: int) -> Import | None:
    """Return the station's import that a task runs."""
    return _find(connection, order_import.c.task_id == task_id, order_import.c.station_id == station_id)


def find_by_submission(connection: Connection, station_id: str, submission: str) -> Import | None:
    """Return the station's import by the id that the caller gave it."""
    return _find(connection, order_import.c.submission == submission, order_import.c.station_id == station_id)


def note_task(connection: Connection, import_id: int, task_id: int) -> None:
    """Note which task runs the import, unless one is known."""
    connection.execute(
        update(order_import)
        .where(order_import.c.id == import_id, order_import.c.task_id.is_(None))
        .values(task_id=task_id)
    )


def hold_for_run(connection: Connection, import_id: int, task_id: int, run_count: int) -> bool:
    """Let run `run_count` write, locking the import; False where it may not, or there is no such import."""
    statement = (
        update(order_import)
        .where(
            order_import.c.id == import_id,
            or_(order_import.c.task_id == task_id, order_import.c.task_id.is_(None)),
            order_import.c.run_count <= run_count,
            order_import.c.closed_run < run_count,
        )
        .values(run_count=run_count, task_id=task_id)
    )
    return connection.execute(statement).rowcount == 1


def hold_for_amendment(connection: Connection, import_id: int, run_count: int) -> None:
    """Lock the import, and let no run up to `run_count` write any more."""
    statement = (
        update(order_import)
        .where(order_import.c.id == import_id)
        .values(closed_run=_larger(order_import.c.closed_run, run_count))
    )
    connection.execute(statement)


def raise_version(connection: Connection, import_id: int) -> int:
    """Count one change of a locked import's rows, and return its version."""
    connection.execute(
        update(order_import).where(order_import.c.id == import_id).values(version=order_import.c.version + 1)
    )
    return int(connection.execute(select(order_import.c.version).where(order_import.c.id == import_id)).scalar_one())


def count_rows(connection: Connection, import_id: int, total: int) -> Counts:
    """Count the rows by what became of them."""
    row = order_import_row.c
    attempted = row.state.in_([int(RowState.CREATED), int(RowState.FAILED)])
    statement = select(row.state, func.count()).where(row.import_id == import_id, attempted).group_by(row.state)
    found = {row[0]: row[1] for row in connection.execute(statement)}
    return Counts(total, found.get(int(RowState.CREATED), 0), found.get(int(RowState.FAILED), 0))


def list_versions(connection: Connection, station_id: str, task_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return (import id, version) of these tasks' imports, by task id."""
    statement = select(order_import.c.task_id, order_import.c.id, order_import.c.version).where(
        order_import.c.station_id == station_id, order_import.c.task_id.in_(list(task_ids))
    )
    return {task_id: (import_id, version) for task_id, import_id, version in connection.execute(statement)}


def _find(connection: Connection, *conditions: Any) -> Import | None:
    found = connection.execute(select(*_COLUMNS).where(*conditions)).one_or_none()
    if found is None:
        return None
    titles = None if found.titles is None else tuple(strict_json.loads(found.titles))
    return Import(**{**found._asdict(), "titles": titles})


def _larger(column: Any, value: int) -> Any:
    # GREATEST and max() are different names of it.
    return case((column < value, value), else_=column)
