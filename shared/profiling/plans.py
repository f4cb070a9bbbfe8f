"""Asks a database how it finds a statement's rows, once its request or run is over, and reads the full scans there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import MetaData, Table, func, literal, select, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from shared.profiling.ledger import SCAN_ROWS, Entry
from shared.profiling.shapes import SQLITE
from shared.profiling.table_indexes import read_facts

log = structlog.get_logger(__name__)
_COUNTED_ROWS = 1_000_000
_BEGINNING = re.compile(r"(?:\s|\(|/\*.*?\*/|--[^\n]*\n)*+(\w+)", re.DOTALL)
_READING = ("SELECT", "UPDATE", "DELETE", "WITH")
_WRITING = ("INSERT", "REPLACE")
_SCANNED = re.compile(
    r"SCAN (?:TABLE )?(?P<table>.+?)(?: AS (?P<alias>\S+))?"
    r"(?: USING (?:COVERING )?INDEX (?P<index>.+?)| USING .*| VIRTUAL TABLE .*)?(?: LEFT-JOIN| RIGHT-JOIN| EXISTS)*"
)
# It makes an index for this one statement, of all rows, as it lacks one; or looks for a largest value without one.
_SEARCHED_WHOLE = re.compile(
    r"SEARCH (?:TABLE )?(?P<table>(?:(?! USING ).)+?)(?: AS (?P<alias>\S+))?(?: USING AUTOMATIC .*)?"
)
_NO_TABLE = re.compile(r"\(|\d+ CONSTANT ROWS?$|CONSTANT ROW$")
_IN_SQLITE = text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name COLLATE NOCASE")
_IN_MYSQL = text(
    "SELECT 1 FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_name = :name"
)
_WORDS = re.compile(r"\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|'(?:[^']|'')*'|[\w$]+|\S")


def is_explained(statement: str) -> bool:
    """Tell whether a statement reads rows that a plan tells of."""
    begins = _BEGINNING.match(statement)
    verb = begins[1].upper() if begins else ""
    return verb in _READING or (verb in _WRITING and "SELECT" in statement.upper())


@dataclass(frozen=True, slots=True)
class Explanation:
    """A statement to be explained once its session is over; its values stay in memory and are never written."""

    engine: Engine
    entry: Entry
    statement: str
    parameters: Any

    def __call__(self) -> list[dict[str, Any]] | None:
        """Return its full scans; None where the database doesn't answer, and need not be asked again.

        Each has the statement's shape and line, the table as it is called there, the index that was read, whether the
        rows were sorted then, the rows examined, and of larger tables what `table_indexes.read_facts` knows.
        """
        explain = _explain_sqlite if self.engine.dialect.name == SQLITE else _explain_mysql
        try:
            with self.engine.connect().execution_options(read_only=True) as connection:
                found = self._explained(explain, connection)
        except SQLAlchemyError as error:
            log.warning("statements_not_explained", problem=type(error).__name__)
            return None
        facts = {"shape": self.entry.shape, "line": self.entry.line, "database": self.entry.database}
        return [{**facts, **scan} for scan in found]

    def _explained(self, explain: Any, connection: Connection) -> list[dict[str, Any]]:
        try:
            return [*explain(connection, self.statement, self.parameters)]
        except SQLAlchemyError as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            log.warning("statement_not_explained", line=self.entry.line, problem=type(error).__name__)
            return []


def _explain_sqlite(connection: Connection, statement: str, parameters: Any) -> Iterator[dict[str, Any]]:
    plan = [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    sorts = any("B-TREE FOR" in detail and "ORDER BY" in detail for detail in plan)
    for detail in plan:
        step = read_sqlite_step(detail)
        name = _table_called(connection, step["table"], statement) if step else ""
        if step and name:
            rows = _count_rows(connection, name)
            yield {**step, "sorts": sorts, "rows_examined": rows, "facts": _facts(connection, name, rows)}


def read_sqlite_step(detail: str) -> dict[str, Any] | None:
    """Read a line as `SCAN orders`, `SCAN orders USING COVERING INDEX ix`; None where it scans no table."""
    found = _SCANNED.fullmatch(detail) or _SEARCHED_WHOLE.fullmatch(detail)
    if found is None or _NO_TABLE.match(found["table"]):
        return None
    known = found.groupdict()
    return {"table": known["alias"] or known["table"], "index": known.get("index") or ""}


def _explain_mysql(connection: Connection, statement: str, parameters: Any) -> Iterator[dict[str, Any]]:
    for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).mappings().all():
        is_scan = str(row["type"] or "").lower() in ("all", "index")
        called, rows = str(row["table"] or ""), int(row["rows"] or 0)
        if is_scan and called and not called.startswith("<"):
            name = _table_called(connection, called, statement)
            yield {
                "table": called,
                "index": str(row["key"] or ""),
                "possible": str(row["possible_keys"] or ""),
                "sorts": "filesort" in str(row["Extra"] or ""),
                "rows_examined": rows,
                "facts": _facts(connection, name, rows) if name else None,
            }


def _facts(connection: Connection, name: str, rows: int) -> dict[str, Any] | None:
    return read_facts(connection, name) if rows >= SCAN_ROWS else None


def _count_rows(connection: Connection, name: str) -> int:
    """Count a table's rows, up to a million."""
    rows = select(literal(1)).select_from(Table(name, MetaData())).limit(_COUNTED_ROWS).subquery()
    return int(connection.execute(select(func.count()).select_from(rows)).scalar_one())


def _table_called(connection: Connection, called: str, statement: str) -> str:
    """Return the table that is called so in a statement; nothing where it is a view, a subquery or elsewhere."""
    if _is_table(connection, called):
        return called
    words: list[str] = [word.strip('"`[]') for word in _WORDS.findall(statement)]
    for place, word in enumerate(words):
        if word.lower() == called.lower() and place:
            before = place - 2 if words[place - 1].upper() == "AS" else place - 1
            if before >= 0 and _is_table(connection, words[before]):
                return words[before]
    return ""


def _is_table(connection: Connection, name: str) -> bool:
    known = _IN_SQLITE if connection.dialect.name == SQLITE else _IN_MYSQL
    return connection.execute(known, {"name": name}).first() is not None
