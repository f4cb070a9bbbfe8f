"""Which index a full scan lacks, and where the indexes of two databases differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import inspect
from sqlalchemy.engine import Engine
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

_EQUAL = (exp.EQ, exp.In, exp.Is, exp.NullSafeEQ)
# Not LIKE: most of them begin with a wildcard, and the shape doesn't say.
_RANGE = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_MOST_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class WantedIndex:
    """The index that would serve a statement."""

    table: str
    columns: tuple[str, ...]

    def statement(self) -> str:
        """Return what makes it."""
        return f"CREATE INDEX ix_{self.table}_{'_'.join(self.columns)} ON {self.table} ({', '.join(self.columns)})"


def wanted_index(shape: str, table: str, database: str) -> WantedIndex | None:
    """Return the index for a statement's scan of `table` (its name or alias there); None where none would serve.

    Columns that are compared for equality come first, then one that is compared for order, or else those by which the
    rows are sorted: what a B-tree can use.
    """
    try:
        statement = parse_one(shape, dialect="sqlite" if database == "sqlite" else "mysql")
    except SqlglotError:
        return None
    scope = _scope_of(statement, table)
    if scope is None:
        return None
    named, alone = scope
    conditions = [*_conditions(statement, table, alone)]
    equal = _unique(column for kind, column in conditions if kind == "equal")
    ranged = _unique(column for kind, column in conditions if kind == "range" and column not in equal)
    sorted_by = [] if ranged else _sorted_by(statement, table, alone)
    columns = (*equal, *ranged[:1], *(column for column in sorted_by if column not in equal))[:_MOST_COLUMNS]
    # Where nothing else narrows the table down, it may be reached from the others.
    columns = columns or tuple(_unique(column for kind, column in conditions if kind == "join"))
    return WantedIndex(named, tuple(columns)) if columns else None


def _scope_of(statement: exp.Expr, table: str) -> tuple[str, bool] | None:
    """Return the table's own name, and whether its columns may stand without it."""
    tables = list(statement.find_all(exp.Table))
    named = next((found.name for found in tables if table in (found.alias, found.name)), None)
    return (named, len(tables) == 1) if named else None


def _conditions(statement: exp.Expr, table: str, alone: bool) -> Iterable[tuple[str, str]]:
    """Return the columns of `table` that every row must satisfy something for; what stands under OR serves nobody."""
    for clause in statement.find_all(exp.Where, exp.Join):
        inner = clause.this if isinstance(clause, exp.Where) else clause.args.get("on")
        for condition in inner.flatten() if isinstance(inner, exp.And) else [inner]:
            bare = condition.unnest() if isinstance(condition, exp.Expr) else condition
            if isinstance(bare, exp.And):
                yield from (found for part in bare.flatten() for found in _read(part, table, alone))
            else:
                yield from _read(bare, table, alone)


def _read(condition: object, table: str, alone: bool) -> Iterable[tuple[str, str]]:
    kind = "equal" if isinstance(condition, _EQUAL) else "range" if isinstance(condition, _RANGE) else ""
    if not kind or not isinstance(condition, exp.Expr):
        return
    sides = [condition.this, condition.args.get("expression")]
    for column in sides:
        if isinstance(column, exp.Column) and (column.table == table or (alone and not column.table)):
            is_join = all(isinstance(side, exp.Column) for side in sides)
            yield "join" if is_join else kind, column.name


def _sorted_by(statement: exp.Expr, table: str, alone: bool) -> list[str]:
    order = statement.args.get("order")
    columns = [ordered.this for ordered in order.expressions] if order else []
    if not all(isinstance(column, exp.Column) for column in columns):
        return []
    return [column.name for column in columns if column.table == table or (alone and not column.table)]


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class IndexDifference:
    """An index that one of two databases has."""

    table: str
    columns: tuple[str, ...]
    unique: bool
    is_missing: bool
    """in the second database; otherwise it is there alone"""


def compare_indexes(first: Engine, second: Engine) -> list[IndexDifference]:
    """Return what the second database lacks and what it has beside the first, whatever the indexes are called."""
    ours, theirs = _indexes(first), _indexes(second)
    missing = [IndexDifference(*index, is_missing=True) for index in sorted(ours - theirs)]
    return [*missing, *(IndexDifference(*index, is_missing=False) for index in sorted(theirs - ours))]


def _indexes(engine: Engine) -> set[tuple[str, tuple[str, ...], bool]]:
    inspector = inspect(engine)
    found: set[tuple[str, tuple[str, ...], bool]] = set()
    for table in inspector.get_table_names():
        for index in inspector.get_indexes(table):
            found.add((table, tuple(filter(None, index["column_names"])), bool(index["unique"])))
        for constraint in inspector.get_unique_constraints(table):
            found.add((table, tuple(constraint["column_names"]), True))
        key = tuple(inspector.get_pk_constraint(table)["constrained_columns"])
        if key:
            found.add((table, key, True))
    return found
