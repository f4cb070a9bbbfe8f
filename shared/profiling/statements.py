"""Has SQLAlchemy's engines tell the present session each statement, and asks the database how it finds the rows.

Imported by processes that have a database, and connected by the first of their sessions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import MetaData, Table, event, func, literal, select, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from shared.profiling.ledger import Entry, line_of_our_code
from shared.profiling.present import current_session

log = structlog.get_logger(__name__)
_BEGAN = "gm_profile_began"
_NO_COUNT = 2**63
"""what a cursor says that fetches its rows later is larger"""
_COUNTED_ROWS = 1_000_000
_EXPLAINED = ("SELECT", "UPDATE", "DELETE", "WITH")


def listen_to_engines() -> None:
    """Connect every engine of this process, those that are there already too; calling it again does nothing."""
    if not event.contains(Engine, "before_cursor_execute", _before):
        event.listen(Engine, "before_cursor_execute", _before)
        event.listen(Engine, "after_cursor_execute", _after)


def _before(connection: Connection, cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    if current_session() is not None and context is not None:
        setattr(context, _BEGAN, time.perf_counter())
        # SQLite finds rows while they are fetched, and says nowhere how many they were.
        if connection.dialect.name == "sqlite":
            cursor.row_factory = _RowCount()


def _after(  # noqa: PLR0917 the order is SQLAlchemy's
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> None:
    session = current_session()
    began = getattr(context, _BEGAN, None)
    if session is None or began is None:
        return
    seconds = time.perf_counter() - began
    counter = getattr(cursor, "row_factory", None)
    known = cursor.rowcount if isinstance(cursor.rowcount, int) and 0 <= cursor.rowcount < _NO_COUNT else 0
    entry = session.ledger.add(statement, seconds, known, line_of_our_code(), connection.dialect.name)
    if isinstance(counter, _RowCount):
        counter.entry = entry
    elif not 0 <= cursor.rowcount < _NO_COUNT:
        _count_fetched(cursor, entry)
    if entry.count == 1 and not many and statement.lstrip()[:6].upper().startswith(_EXPLAINED):
        session.to_explain.append(_Explanation(connection.engine, entry, statement, parameters))


class _RowCount:
    """Counts the rows of one cursor of SQLite's."""

    __slots__ = ("entry",)

    def __init__(self) -> None:
        self.entry: Entry | None = None

    def __call__(self, _cursor: Any, row: Any) -> Any:
        if self.entry is not None:
            self.entry.rows += 1
        return row


def _count_fetched(cursor: Any, entry: Entry) -> None:
    """Count the rows of a cursor that leaves them on the server; those of PyMySQL take methods of their own."""

    def counting(fetch: Callable[..., Any], rows: Callable[[Any], int]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            fetched = fetch(*arguments, **named)
            entry.rows += rows(fetched)
            return fetched

        return counted

    try:
        cursor.fetchone = counting(cursor.fetchone, lambda row: 0 if row is None else 1)
        cursor.fetchmany = counting(cursor.fetchmany, len)
        cursor.fetchall = counting(cursor.fetchall, len)
    except AttributeError:
        return


@dataclass(frozen=True, slots=True)
class _Explanation:
    """A statement to be explained once its session is over; its values stay in memory and are never written."""

    engine: Engine
    entry: Entry
    statement: str
    parameters: Any

    def __call__(self) -> list[dict[str, Any]]:
        """Return its full scans: statement, line, table as it is called there, index that was read, rows examined."""
        explain = _explain_sqlite if self.engine.dialect.name == "sqlite" else _explain_mysql
        try:
            with self.engine.connect().execution_options(read_only=True) as connection:
                found = explain(connection, self.statement, self.parameters)
        except SQLAlchemyError as error:
            log.warning("statement_not_explained", line=self.entry.line, problem=type(error).__name__)
            return []
        facts = {"shape": self.entry.shape, "line": self.entry.line, "database": self.entry.database}
        return [{**facts, **scan} for scan in found]


def _explain_sqlite(connection: Connection, statement: str, parameters: Any) -> list[dict[str, Any]]:
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    scans = [found for row in plan if (found := _read_sqlite_step(row[3]))]
    return [{**scan, "rows_examined": _rows_of(connection, scan["table"], statement)} for scan in scans]


def _read_sqlite_step(detail: str) -> dict[str, Any] | None:
    """Read a line as `SCAN orders`, `SCAN orders USING COVERING INDEX ix`; subqueries' own lists are none."""
    words = detail.split()
    if words[:1] != ["SCAN"] or len(words) < 2 or words[1].startswith("(") or "CONSTANT" in words:
        return None
    name = words[2] if words[1] == "TABLE" else words[1]
    index = words[words.index("INDEX") + 1] if "INDEX" in words else ""
    return {"table": name, "index": index}


def _rows_of(connection: Connection, table: str, statement: str) -> int:
    """Count a table's rows, up to a million; zero where the plan's name is that of an alias we can't follow."""
    name = table if _is_table(connection, table) else _aliased(table, statement)
    if not name or not _is_table(connection, name):
        return 0
    rows = select(literal(1)).select_from(Table(name, MetaData())).limit(_COUNTED_ROWS).subquery()
    return int(connection.execute(select(func.count()).select_from(rows)).scalar_one())


def _is_table(connection: Connection, name: str) -> bool:
    known = text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name")
    return connection.execute(known, {"name": name}).first() is not None


def _aliased(alias: str, statement: str) -> str:
    words = statement.replace(",", " ").replace("(", " ").replace(")", " ").replace('"', "").split()
    for place, word in enumerate(words):
        if word == alias and place and words[place - 1].upper() == "AS" and place > 1:
            return words[place - 2]
    return ""


def _explain_mysql(connection: Connection, statement: str, parameters: Any) -> list[dict[str, Any]]:
    plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).mappings().all()
    return [
        {
            "table": str(row["table"]),
            "index": str(row["key"] or ""),
            "possible": str(row["possible_keys"] or ""),
            "rows_examined": int(row["rows"] or 0),
        }
        for row in plan
        if str(row["type"] or "").lower() in ("all", "index") and not str(row["table"]).startswith("<")
    ]
