"""Which index a full scan lacks, by the statement and by what the table has already."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects import mysql, sqlite
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from shared.profiling.conditions import Key, Kind, Scope, find_scopes
from shared.profiling.shapes import SQLITE

_MOST_COLUMNS = 4
_MOST_NAME = 64
_LONG_TEXT = re.compile(r"(?:tiny|medium|long)?(?:text|blob)\b|var(?:char|binary)\((\d+)\)")
_LONGEST_WHOLE = 255
"""MySQL takes no more than a part of what is longer into an index"""
_PART_CHARACTERS = 64
_NEVER_INDEXED = ("json", "geometry")


@dataclass(frozen=True, slots=True)
class WantedIndex:
    """The index that would serve a statement."""

    table: str
    keys: tuple[Key, ...]
    database: str = SQLITE
    taken: frozenset[str] = frozenset()
    """names of indexes that the table has"""
    partly: frozenset[str] = frozenset()
    """columns of which MySQL takes the beginning alone"""

    @property
    def columns(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(key.column for key in self.keys)

    def statement(self) -> str:
        """Return what makes it, with the names quoted that need it."""
        dialect = sqlite.dialect() if self.database == SQLITE else mysql.dialect(is_mariadb=self.database == "mariadb")
        quote = dialect.identifier_preparer.quote
        parts = ", ".join(f"{quote(key.column)}{self._after(key)}" for key in self.keys)
        return f"CREATE INDEX {quote(self._name())} ON {quote(self.table)} ({parts})"

    def _after(self, key: Key) -> str:
        length = f"({_PART_CHARACTERS})" if key.column in self.partly else ""
        collation = f" COLLATE {key.collation}" if key.collation else ""
        return f"{length}{collation}{' DESC' if key.descending else ''}"

    def _name(self) -> str:
        words = [self.table, *(f"{key.column}_{key.collation}".strip("_").lower() for key in self.keys)]
        name = re.sub(r"\W+", "_", f"ix_{'_'.join(words)}")
        if len(name) > _MOST_NAME:
            name = f"{name[: _MOST_NAME - 9]}_{zlib.crc32(name.encode()):08x}"
        return f"{name[: _MOST_NAME - 2]}_2" if name.lower() in self.taken else name


@dataclass(frozen=True, slots=True)
class Advice:
    """What can be said of a scan."""

    is_meant: bool = False
    """the statement asks for the whole table, or takes the first rows in an index's order"""
    wanted: WantedIndex | None = None
    """None: no index that is sure to help"""


def advise(
    shape: str, table: str, database: str, facts: dict[str, Any] | None = None, *, sorts: bool = False
) -> Advice:
    """Judge a statement's scan of `table` (its name or alias there).

    `facts` is of `table_indexes.read_facts`; `sorts`: the database sorts the rows, as it read them in another order.
    """
    try:
        # Both read their rows alike, and only one of them is parsed.
        written = re.sub(r"^REPLACE\b", "INSERT", shape, flags=re.IGNORECASE)
        statement = parse_one(written, dialect=SQLITE if database == SQLITE else "mysql")
    except SqlglotError:
        return Advice()
    if isinstance(statement, exp.Command):
        return Advice()
    scopes = find_scopes(statement, table, facts, database)
    if not scopes:  # it stands in a view, or is another database's
        return Advice(is_meant=statement.find(exp.Where) is None)
    wanted = next((found for scope in scopes if (found := _wanted(scope, facts))), None)
    is_whole = not any(scope.is_narrowed() or (scope.has_limit and sorts) for scope in scopes)
    return Advice(is_meant=wanted is None and is_whole, wanted=wanted)


def wanted_index(shape: str, table: str, database: str, facts: dict[str, Any] | None = None) -> WantedIndex | None:
    """Return the index for a statement's scan of `table`; None where none would serve, or is there already."""
    return advise(shape, table, database, facts).wanted


def _wanted(scope: Scope, facts: dict[str, Any] | None) -> WantedIndex | None:
    """Put together what a B-tree can use: columns compared for equality, then one in a range, then the order."""
    conditions = scope.conditions()
    equal = _unique(key for kind in (Kind.EQUAL, Kind.ONE_OF) for known, key in conditions if known is kind)
    ranged = [key for key in _of(Kind.RANGE, conditions) if key.column not in _names(equal)][:1]
    order = [key for key in scope.order() if key.column not in _names(equal)]
    is_list = any(kind is Kind.ONE_OF for kind, _ in conditions)
    equal.sort(key=lambda key: bool(facts) and _is_long(key, scope, facts or {}))
    keys = [*equal, *_after_equal(ranged, order, is_useful=not is_list and (bool(equal) or scope.takes_first()))]
    # Where nothing else narrows the table down, it may be reached from the others.
    keys = (keys or _of(Kind.JOIN, conditions))[:_MOST_COLUMNS]
    keys = _indexable(keys, scope, facts)
    compared = sum(key.column in _names(equal) for key in keys)
    if not keys or (facts and any(_serves(index["parts"], keys, compared) for index in facts["indexes"])):
        return None
    if not facts:
        return WantedIndex(scope.table, tuple(keys), scope.database)
    partly = frozenset(key.column for key in keys if _is_long(key, scope, facts))
    taken = frozenset(str(index["name"]).lower() for index in facts["indexes"])
    return WantedIndex(scope.table, tuple(keys), scope.database, taken, partly)


def _after_equal(ranged: list[Key], order: list[Key], *, is_useful: bool) -> list[Key]:
    """Return the range, and the order where an index that has the range first can give it too."""
    if not is_useful:
        return ranged
    if ranged:
        return order if order and order[0].column == ranged[0].column else ranged
    return order


def _indexable(keys: list[Key], scope: Scope, facts: dict[str, Any] | None) -> list[Key]:
    """Leave out what can't be in an index, or is in every one."""
    if not facts:
        return keys
    kept = [key for key in keys if not facts["columns"][key.column].startswith(_NEVER_INDEXED)]
    long = next((number for number, key in enumerate(kept) if _is_long(key, scope, facts)), len(kept))
    kept = kept[: long + 1]  # what comes after the beginning of a text alone is in no order
    is_in_all = set(facts["row_key"])
    while len(kept) > 1 and kept[-1].column in is_in_all and not kept[-1].descending:
        kept.pop()
    return kept


def _is_long(key: Key, scope: Scope, facts: dict[str, Any]) -> bool:
    known = _LONG_TEXT.match(facts["columns"][key.column]) if scope.database != SQLITE else None
    return known is not None and int(known[1] or _LONGEST_WHOLE + 1) > _LONGEST_WHOLE


def _serves(parts: Sequence[Sequence[Any]], keys: Sequence[Key], equal: int) -> bool:
    """Tell whether an index begins with these; columns that are compared for equality may stand in any order."""
    if len(parts) < len(keys):
        return False
    first, rest = parts[:equal], parts[equal : len(keys)]
    if not all(any(_is_of(part, key) for part in first) for key in keys[:equal]):
        return False
    if not all(_is_of(part, key) for part, key in zip(rest, keys[equal:], strict=True)):
        return False
    is_mixed = any(key.descending for key in keys[equal:])
    turned = {bool(part[2]) is key.descending for part, key in zip(rest, keys[equal:], strict=True)}
    return not is_mixed or len(turned) == 1


def _is_of(part: Sequence[Any], key: Key) -> bool:
    name, collation, _ = part
    return bool(name == key.column and (not key.collation or key.collation == collation))


def _of(kind: Kind, conditions: Iterable[tuple[Kind, Key]]) -> list[Key]:
    return _unique(key for known, key in conditions if known is kind)


def _unique(keys: Iterable[Key]) -> list[Key]:
    by_name: dict[str, Key] = {}
    for key in keys:
        by_name.setdefault(key.column, key)
    return [*by_name.values()]


def _names(keys: Iterable[Key]) -> set[str]:
    return {key.column for key in keys}
