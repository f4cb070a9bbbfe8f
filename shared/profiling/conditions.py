"""What a statement asks of one of its tables: columns that equal something, lie in a range, or give the order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sqlglot import exp

from shared.profiling.shapes import SQLITE

_EQUAL = (exp.EQ, exp.Is, exp.NullSafeEQ)
# Not LIKE: most of them begin with a wildcard, and the shape doesn't say.
_RANGE = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_STATEMENTS = (exp.Select, exp.Update, exp.Delete)


class Kind(IntEnum):
    """How a column is compared; in the order that an index needs."""

    EQUAL = 1
    ONE_OF = 2
    RANGE = 3
    JOIN = 4
    """with a column of another table"""


@dataclass(frozen=True, slots=True)
class Key:
    """A column as an index would have it."""

    column: str
    collation: str = ""
    """other than the column's own"""
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a statement that reads a table: a SELECT within it, an UPDATE, a DELETE."""

    statement: exp.Expr
    table: str
    """its own name"""
    names: frozenset[str]
    """what it may be called there, in lower case"""
    others: frozenset[str]
    """the other tables' names there"""
    columns: Mapping[str, str] | None
    """the table's columns by their names in lower case; None: unknown"""
    database: str

    @property
    def has_limit(self) -> bool:
        """It takes the first rows alone."""
        return self.statement.args.get("limit") is not None

    def is_narrowed(self) -> bool:
        """Tell whether there is any condition, here or around it."""
        around: exp.Expr | None = self.statement
        while around is not None:
            if around.args.get("where") is not None:
                return True
            around = around.find_ancestor(*_STATEMENTS)
        return False

    def conditions(self) -> list[tuple[Kind, Key]]:
        """Return the columns that every row must satisfy something for; what stands under OR serves nobody."""
        found = [read for clause in self._clauses() for part in _conjuncts(clause) for read in self._read(part)]
        return [*found, *((Kind.JOIN, Key(name)) for name in self._joined_by_name())]

    def order(self) -> list[Key]:
        """Return the columns by which the rows are sorted; nothing where an index could not do it."""
        extreme = self._extreme()
        if extreme is not None:
            return [extreme]
        given = self.statement.args.get("order")
        if given is None or self.statement.args.get("group") is not None:
            return []
        keys = [self._sorted(ordered) for ordered in given.expressions]
        known = [key for key in keys if key is not None]
        if len(known) < len(keys):
            return []
        # An index is read backwards as well as forwards.
        is_mixed = len({key.descending for key in known}) > 1
        return known if is_mixed else [Key(key.column, key.collation) for key in known]

    def takes_first(self) -> bool:
        """Tell whether an index by the order would spare most of the rows."""
        return self.has_limit or self._extreme() is not None

    def _clauses(self) -> Iterator[exp.Expr]:
        where = self.statement.args.get("where")
        if where is not None:
            yield where.this
        for join in self._joins():
            if join.args.get("on") is not None:
                yield join.args["on"]

    def _joins(self) -> list[exp.Expr]:
        joins = self.statement.find_all(exp.Join)
        return [join for join in joins if join.find_ancestor(*_STATEMENTS) is self.statement]

    def _joined_by_name(self) -> list[str]:
        named = [name.name for join in self._joins() for name in join.args.get("using") or []]
        return [name for name in (self._known(name) for name in named) if name]

    def _read(self, condition: exp.Expr) -> Iterator[tuple[Kind, Key]]:
        if isinstance(condition, exp.Or):
            yield from self._one_of(condition)
        elif isinstance(condition, exp.In):
            given = [*condition.expressions, condition.args.get("query")]
            yield from self._compared(Kind.ONE_OF, condition.this, given)
        elif isinstance(condition, exp.Between):
            yield from self._compared(Kind.RANGE, condition.this, [condition.args["low"], condition.args["high"]])
        elif isinstance(condition, (*_EQUAL, *_RANGE)):
            if isinstance(condition.expression, exp.Boolean):
                return  # IS TRUE is an expression of the column
            kind = Kind.EQUAL if isinstance(condition, _EQUAL) else Kind.RANGE
            yield from self._compared(kind, condition.this, [condition.expression])
            yield from self._compared(kind, condition.expression, [condition.this])

    def _one_of(self, condition: exp.Expr) -> Iterator[tuple[Kind, Key]]:
        """Read `a = 1 OR a = 2` as what it is: a list."""
        read = [[*self._read(_bare(part))] for part in condition.flatten()]
        keys = {found[0][1] for found in read if len(found) == 1 and found[0][0] in (Kind.EQUAL, Kind.ONE_OF)}
        if len(keys) == 1 and all(len(found) == 1 for found in read):
            yield Kind.ONE_OF, keys.pop()

    def _compared(self, kind: Kind, side: exp.Expr, given: list[exp.Expr | None]) -> Iterator[tuple[Kind, Key]]:
        key = self._key(side)
        if key is None:
            return
        values = [value for value in given if value is not None]
        if any(self._is_own(column) for value in values for column in value.find_all(exp.Column)):
            return  # one column of a row against another: every row must be looked at
        collation = key.collation or next((found for value in values if (found := _collation(value))), "")
        if collation and self.database != SQLITE:
            return  # there an index has its column's collation and no other
        is_join = any(self._is_of_others(value) for value in values)
        if not is_join or kind is not Kind.RANGE:
            yield Kind.JOIN if is_join else kind, Key(key.column, collation)

    def _sorted(self, ordered: exp.Expr) -> Key | None:
        is_descending = bool(ordered.args.get("desc"))
        key = self._key(ordered.this)
        # Both databases take NULL for the least; where it is wanted elsewhere, they sort.
        if key is None or bool(ordered.args.get("nulls_first")) is is_descending:
            return None
        return Key(key.column, key.collation, is_descending)

    def _extreme(self) -> Key | None:
        """Return the column of `SELECT max(a)`, which is an index's last."""
        shown = self.statement.expressions if isinstance(self.statement, exp.Select) else []
        only = shown[0].unalias() if len(shown) == 1 and self.statement.args.get("group") is None else None
        return self._key(only.this) if isinstance(only, (exp.Max, exp.Min)) else None

    def _key(self, expression: exp.Expr) -> Key | None:
        bare = _bare(expression)
        collation = _collation(bare)
        column = _bare(bare.this) if isinstance(bare, exp.Collate) else bare
        if not isinstance(column, exp.Column) or not self._is_own(column):
            return None
        return Key(self._known(column.name) or column.name, collation)

    def _is_own(self, column: exp.Column) -> bool:
        if column.table:
            return column.table.lower() in self.names and self._known(column.name) is not None
        # Without a table's name it is ours if we have such a column: of two that had it the database would complain.
        return self._known(column.name) is not None and (self.columns is not None or not self.others)

    def _known(self, name: str) -> str | None:
        return name if self.columns is None else self.columns.get(name.lower())

    def _is_of_others(self, value: exp.Expr) -> bool:
        """Tell whether a value comes from a table that is read beside ours; one from around us is the same for all."""
        if isinstance(_bare(value), (exp.Select, exp.Subquery)):
            return False
        named = [column.table.lower() for column in value.find_all(exp.Column)]
        return any(name in self.others or (not name and bool(self.others)) for name in named)


def find_scopes(statement: exp.Expr, table: str, facts: Mapping[str, Any] | None, database: str) -> list[Scope]:
    """Return the parts of a statement that read `table`, its name or alias there, such as both of a UNION."""
    wanted = table.lower()
    read = [found for found in statement.find_all(exp.Table) if wanted in (found.alias.lower(), found.name.lower())]
    # A name that is another's alias as well means the alias.
    read = [found for found in read if found.alias.lower() == wanted] or read
    scopes = [_scope_of(found, facts, database) for found in read]
    return [scope for scope in scopes if scope is not None]


def _scope_of(named: exp.Table, facts: Mapping[str, Any] | None, database: str) -> Scope | None:
    around = named.find_ancestor(*_STATEMENTS)
    if around is None:
        return None
    sources = [found for found in around.find_all(exp.Table, exp.Subquery) if _is_source_of(found, around)]
    return Scope(
        around,
        facts["name"] if facts else named.name,
        frozenset({named.alias_or_name.lower()}),
        frozenset(found.alias_or_name.lower() for found in sources if found is not named),
        {name.lower(): name for name in facts["columns"]} if facts else None,
        database,
    )


def _is_source_of(found: exp.Expr, statement: exp.Expr) -> bool:
    is_source = isinstance(found.parent, (exp.From, exp.Join, exp.Update, exp.Delete))
    return is_source and found.find_ancestor(*_STATEMENTS) is statement


def _conjuncts(condition: exp.Expr) -> Iterable[exp.Expr]:
    bare = _bare(condition)
    parts = [*bare.flatten()] if isinstance(bare, exp.And) else []
    return (found for part in parts for found in _conjuncts(part)) if parts else [bare]


def _bare(expression: exp.Expr) -> exp.Expr:
    while isinstance(expression, exp.Paren):
        expression = expression.this
    return expression


def _collation(expression: exp.Expr) -> str:
    bare = _bare(expression)
    return bare.expression.name.upper() if isinstance(bare, exp.Collate) else ""
