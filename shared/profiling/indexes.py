"""Where the indexes of two databases differ."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import inspect
from sqlalchemy.engine import Engine
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from shared.profiling.shapes import SQLITE
from shared.profiling.table_indexes import Part, TableIndex, read_indexes


@dataclass(frozen=True, slots=True, order=True)
class IndexDifference:
    """An index that one of two databases has."""

    table: str
    parts: tuple[Part, ...]
    unique: bool
    where: str
    """of a partial one"""
    kind: str
    is_missing: bool = False
    """in the second database; otherwise it is there alone"""

    def __str__(self) -> str:
        unique = "unique " if self.unique else ""
        kind = "" if self.kind == "BTREE" else f"{self.kind.lower()} "
        where = f" where {self.where}" if self.where else ""
        return f"{unique}{kind}index on {self.table} ({', '.join(map(_show, self.parts))}){where}"


def _show(part: Part) -> str:
    collation = f" COLLATE {part.collation}" if part.collation not in ("", "BINARY") else ""
    length = f"({part.length})" if part.length else ""
    return f"{part.expression or part.column}{length}{collation}{' DESC' if part.descending else ''}"


def compare_indexes(first: Engine, second: Engine) -> list[IndexDifference]:
    """Return what the second database lacks and what it has beside the first, whatever the indexes are called.

    Between SQLite and MySQL, collations and lengths are left out, which only one of them has in its indexes.

    Raises:
        SQLAlchemyError: a database can't be read.
    """
    is_alike = (first.dialect.name == SQLITE) is (second.dialect.name == SQLITE)
    ours, theirs = _indexes(first, is_alike), _indexes(second, is_alike)
    missing = [replace(index, is_missing=True) for index in sorted(ours - theirs)]
    return [*missing, *sorted(theirs - ours)]


def _indexes(engine: Engine, is_alike: bool) -> set[IndexDifference]:
    found = set()
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            for index in read_indexes(connection, table):
                parts, where = _written_parts(index)
                if not is_alike:
                    parts = tuple(replace(part, collation="", length=0) for part in parts)
                found.add(IndexDifference(table, parts, index.unique, where, index.kind))
    return found


def _written_parts(index: TableIndex) -> tuple[tuple[Part, ...], str]:
    """Return the index's parts and condition with their expressions, written alike."""
    made = _parsed(index.written)
    if made is None:
        return tuple(_with_expression(part, part.expression) for part in index.parts), index.where
    ordered = made.args["columns"] or []
    parts = (_with_expression(part, _uniform(written)) for part, written in zip(index.parts, ordered, strict=True))
    where = made.args.get("where")
    return tuple(parts), _uniform(where.this) if where is not None else ""


def _with_expression(part: Part, expression: str) -> Part:
    return part if part.column else replace(part, expression=expression)


def _parsed(written: str) -> exp.Expr | None:
    """Return what stands behind the table's name in CREATE INDEX; None where it can't be read."""
    try:
        made = parse_one(written, dialect=SQLITE) if written else None
    except SqlglotError:
        return None
    return made.find(exp.IndexParameters) if made is not None else None


def _uniform(expression: exp.Expr) -> str:
    """Return an expression without the marks of order and collation, its names in lower case and unquoted."""
    bare = expression.this if isinstance(expression, exp.Ordered) else expression
    plain = (bare.this if isinstance(bare, exp.Collate) else bare).unnest().copy()
    for name in plain.find_all(exp.Identifier):
        name.replace(exp.to_identifier(name.name.lower(), quoted=False))
    return str(plain.sql(dialect=SQLITE, normalize_functions="lower"))
