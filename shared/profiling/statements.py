"""Has SQLAlchemy's engines tell the present session each statement: how long it took, how many rows, from which line.

Imported by processes that have a database, and connected by the first of their sessions.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from shared.profiling.ledger import Entry, line_of_our_code
from shared.profiling.plans import Explanation, is_explained
from shared.profiling.present import current_session

_BEGAN = "gm_profile_began"
_NO_COUNT = 2**63
"""what a cursor says that fetches its rows later is larger"""


def listen_to_engines() -> None:
    """Connect every engine of this process, those that are there already too; calling it again does nothing."""
    if not event.contains(Engine, "before_cursor_execute", _before):
        event.listen(Engine, "before_cursor_execute", _before)
        event.listen(Engine, "after_cursor_execute", _after)


def _before(_connection: Connection, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
    if current_session() is not None and context is not None:
        setattr(context, _BEGAN, time.perf_counter())


def _after(  # noqa: PLR0917 the order is SQLAlchemy's
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> None:
    session = current_session()
    began = getattr(context, _BEGAN, None)
    if session is None or began is None:
        return
    seconds = time.perf_counter() - began
    is_counted = isinstance(cursor.rowcount, int) and 0 <= cursor.rowcount < _NO_COUNT
    known = cursor.rowcount if is_counted else 0
    entry = session.ledger.add(statement, seconds, known, line_of_our_code(), connection.dialect.name)
    if not is_counted and cursor.description is not None:
        context.cursor = _Fetched(cursor, entry, seconds)
    if entry.count == 1 and is_explained(statement):
        values = parameters[0] if many and parameters else parameters
        session.to_explain.append(Explanation(connection.engine, entry, statement, values))


class _Fetched:
    """A cursor that finds its rows while they are fetched, as SQLite's do: adds up how many, and how long it took."""

    def __init__(self, cursor: Any, entry: Entry, seconds: float) -> None:
        self._cursor = cursor
        self._entry = entry
        self._seconds = seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def fetchone(self) -> Any:
        began = time.perf_counter()
        row = self._cursor.fetchone()
        self._add(began, 0 if row is None else 1)
        return row

    def fetchmany(self, *size: int) -> Any:
        began = time.perf_counter()
        rows = self._cursor.fetchmany(*size)
        self._add(began, len(rows))
        return rows

    def fetchall(self) -> Any:
        began = time.perf_counter()
        rows = self._cursor.fetchall()
        self._add(began, len(rows))
        return rows

    def _add(self, began: float, rows: int) -> None:
        seconds = time.perf_counter() - began
        self._seconds += seconds
        self._entry.rows += rows
        self._entry.total_seconds += seconds
        self._entry.worst_seconds = max(self._entry.worst_seconds, self._seconds)
