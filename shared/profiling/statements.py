"""Has SQLAlchemy's engines tell the present session each statement: how long it took, how many rows, from which line.

Imported by processes that have a database, and connected by the first of their sessions.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from shared.profiling.ledger import Entry, line_of_our_code
from shared.profiling.plans import Explanation, is_explained
from shared.profiling.present import current_session

_BEGAN = "gm_profile_began"
_READ_ALONE = 32
_MOST_AHEAD = 256
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
        may_read_ahead = bool(connection.get_execution_options().get("read_only"))
        context.cursor = _Fetched(cursor, entry, seconds, may_read_ahead=may_read_ahead)
    if entry.count == 1 and is_explained(statement):
        values = parameters[0] if many and parameters else parameters
        session.to_explain.append(Explanation(connection.engine, entry, statement, values))


class _Fetched:
    """A cursor that finds its rows while they are fetched, as SQLite's do: adds up how many, and how long it took.

    Whole results are fetched row by row, and a clock for each costs as much as the row. So where nothing but reading
    goes on, later rows are fetched ahead, never more than were taken already.
    """

    def __init__(self, cursor: Any, entry: Entry, seconds: float, *, may_read_ahead: bool) -> None:
        self._cursor = cursor
        self._entry = entry
        self._seconds = seconds
        self._may_read_ahead = may_read_ahead
        self._found = 0
        self._ahead: deque[Any] = deque()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def fetchone(self) -> Any:
        if self._ahead:
            return self._ahead.popleft()
        if self._may_read_ahead and self._found >= _READ_ALONE:
            self._ahead.extend(self._timed(self._cursor.fetchmany, min(self._found, _MOST_AHEAD)))
            return self._ahead.popleft() if self._ahead else None
        rows = self._timed(self._cursor.fetchmany, 1)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        wanted = self._cursor.arraysize if size is None else size
        ready = [self._ahead.popleft() for _ in range(min(wanted, len(self._ahead)))]
        return ready + self._timed(self._cursor.fetchmany, wanted - len(ready)) if len(ready) < wanted else ready

    def fetchall(self) -> list[Any]:
        ready = [*self._ahead]
        self._ahead.clear()
        return ready + self._timed(self._cursor.fetchall)

    def _timed(self, fetch: Callable[..., Sequence[Any]], *size: int) -> list[Any]:
        began = time.perf_counter()
        rows = fetch(*size)
        took = time.perf_counter() - began
        self._seconds += took
        self._found += len(rows)
        self._entry.rows += len(rows)
        self._entry.total_seconds += took
        self._entry.worst_seconds = max(self._entry.worst_seconds, self._seconds)
        return list(rows)
