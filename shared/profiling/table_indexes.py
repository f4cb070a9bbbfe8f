"""Which indexes a table has, as the database itself tells: columns, expressions, collations, lengths, conditions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection

from shared.profiling.shapes import SQLITE

_EXPRESSION = -2
_ROWID = -1
"""SQLite's numbers of what is no column"""
# As functions, so that the name is a value and not a part of the statement.
_PRAGMAS = {
    "table_xinfo": text("SELECT * FROM pragma_table_xinfo(:of)"),
    "index_list": text("SELECT * FROM pragma_index_list(:of)"),
    "index_xinfo": text("SELECT * FROM pragma_index_xinfo(:of)"),
}
UNREAD = "?"
"""of an expression or a condition: there is one, `TableIndex.written` has it"""


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A column of an index, or an expression."""

    column: str
    expression: str = ""
    descending: bool = False
    collation: str = ""
    """SQLite's; MySQL's indexes have that of their column"""
    length: int = 0
    """so many characters of it (MySQL); 0: the whole"""


@dataclass(frozen=True, slots=True)
class TableIndex:
    """An index or a key of a table."""

    name: str
    parts: tuple[Part, ...]
    unique: bool
    where: str = ""
    """of a partial one"""
    kind: str = "BTREE"
    written: str = ""
    """the statement that made it (SQLite)"""


def read_indexes(connection: Connection, table: str) -> list[TableIndex]:
    """Return a table's indexes, its primary key among them."""
    return list((_of_sqlite if connection.dialect.name == SQLITE else _of_mysql)(connection, table))


def read_columns(connection: Connection, table: str) -> dict[str, str]:
    """Return the names of a table's columns, and their types in lower case."""
    if connection.dialect.name == SQLITE:
        return {str(row["name"]): str(row["type"]).lower() for row in _pragma(connection, "table_xinfo", table)}
    quoted = connection.dialect.identifier_preparer.quote(table)
    rows = connection.exec_driver_sql(f"SHOW COLUMNS FROM {quoted}").mappings()
    return {str(row["Field"]): str(row["Type"]).lower() for row in rows}


def read_facts(connection: Connection, table: str) -> dict[str, Any]:
    """Return what advice must know of a table, as it is kept in a record.

    Such as {"name": "orders", "columns": {"id": "integer"}, "indexes": [{"name": "ix", "parts": [["id", "BINARY",
    false]]}], "row_key": ["id"]}: of each index that has every row, the columns before the first expression, with their
    collation and whether they descend; and the columns that every index ends with by itself.
    """
    indexes = read_indexes(connection, table)
    return {
        "name": table,
        "columns": read_columns(connection, table),
        "row_key": _row_key(connection, indexes),
        "indexes": [{"name": index.name, "parts": [*_leading(index)]} for index in indexes if not index.where],
    }


def _row_key(connection: Connection, indexes: list[TableIndex]) -> list[str]:
    """Return what an index has of each row without being told: the primary key, in SQLite the row's number."""
    is_sqlite = connection.dialect.name == SQLITE
    keys = [index for index in indexes if index.name == ("" if is_sqlite else "PRIMARY")]
    return [part.column for key in keys for part in key.parts]


def _leading(index: TableIndex) -> Iterable[list[Any]]:
    if index.kind != "BTREE":
        return
    for part in index.parts:
        if not part.column:
            return
        yield [part.column, part.collation, part.descending]


def _of_sqlite(connection: Connection, table: str) -> Iterable[TableIndex]:
    listed = _pragma(connection, "index_list", table)
    for row in listed:
        parts = [part for part in _pragma(connection, "index_xinfo", row["name"]) if part["key"]]
        yield TableIndex(
            row["name"],
            tuple(_sqlite_part(part) for part in parts),
            bool(row["unique"]),
            UNREAD if row["partial"] else "",
            written=_written(connection, row["name"]),
        )
    if not any(row["origin"] == "pk" for row in listed):  # the rowid itself, which no list has
        keys = sorted((row["pk"], row["name"]) for row in _pragma(connection, "table_xinfo", table) if row["pk"])
        if keys:
            yield TableIndex("", tuple(Part(name, collation="BINARY") for _, name in keys), unique=True)


def _sqlite_part(row: Any) -> Part:
    expression = UNREAD if row["cid"] == _EXPRESSION else "rowid" if row["cid"] == _ROWID else ""
    return Part(row["name"] or "", expression, bool(row["desc"]), str(row["coll"]).upper())


def _pragma(connection: Connection, pragma: str, of: str) -> list[Any]:
    return list(connection.execute(_PRAGMAS[pragma], {"of": of}).mappings())


def _written(connection: Connection, name: str) -> str:
    known = text("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = :name")
    return str(connection.execute(known, {"name": name}).scalar() or "")


def _of_mysql(connection: Connection, table: str) -> Iterable[TableIndex]:
    quoted = connection.dialect.identifier_preparer.quote(table)
    rows: dict[str, list[Any]] = {}
    for row in connection.exec_driver_sql(f"SHOW INDEX FROM {quoted}").mappings():
        rows.setdefault(row["Key_name"], []).append(row)
    for name, parts in rows.items():
        yield TableIndex(
            name,
            tuple(_mysql_part(part) for part in sorted(parts, key=lambda part: int(part["Seq_in_index"]))),
            unique=not int(parts[0]["Non_unique"]),
            kind=str(parts[0]["Index_type"]),
        )


def _mysql_part(row: Any) -> Part:
    # MariaDB has no indexes by expression, and so no such field.
    return Part(
        row["Column_name"] or "", row.get("Expression") or "", row["Collation"] == "D", length=int(row["Sub_part"] or 0)
    )
