"""Has SQLAlchemy's engines tell the present session each statement: how long it took, how many rows, from which line.

Imported by processes that have a database, and connected by the first of their sessions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
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
    """A cursor that finds its rows while they are fetched, as SQLite's do: adds up how many, and how long it took.

    Whole results come row by row too, so each row's part is as short as it can be.
    """

    def __init__(self, cursor: Any, entry: Entry, seconds: float) -> None:
        def timed(fetch: Callable[..., Any], rows_of: Callable[[Any], int]) -> Callable[..., Any]:
            def fetched(*size: int) -> Any:
                nonlocal seconds
                began = now()
                found = fetch(*size)
                took = now() - began
                seconds += took
                entry.total_seconds += took
                entry.rows += rows_of(found)
                entry.worst_seconds = max(entry.worst_seconds, seconds)
                return found

            return fetched

        def fetchone() -> Any:
            nonlocal seconds
            began = now()
            row = one()
            took = now() - began
            seconds += took
            entry.total_seconds += took
            if seconds > entry.worst_seconds:  # noqa: PLR1730 max() would cost as much as the rest
                entry.worst_seconds = seconds
            if row is not None:
                entry.rows += 1
            return row

        now, one = time.perf_counter, cursor.fetchone
        self._cursor = cursor
        self.fetchone = fetchone
        self.fetchmany = timed(cursor.fetchmany, len)
        self.fetchall = timed(cursor.fetchall, len)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)
