"""The tables of pstats files as values: merge them, take one from another, write and open them.

Keys are (file, line, function); values are (primitive calls, calls, own seconds, total seconds, callers).
"""

from __future__ import annotations

import pstats
from pathlib import Path
from typing import Any

Place = tuple[str, int, str]
Row = tuple[int, int, float, float, dict[Place, Any]]
Table = dict[Place, Row]


class NoProfile(Exception):
    """A file that can't be opened as a profile, in a sentence."""


def open_table(path: Path) -> Table:
    """Return the table of any pstats file.

    Raises:
        NoProfile: it is none, or can't be read.
    """
    return dict(open_stats(path).stats)  # type: ignore[attr-defined]


def open_stats(path: Path) -> pstats.Stats:
    """Open any pstats file.

    Raises:
        NoProfile: it is none, or can't be read.
    """
    try:
        stats = pstats.Stats(str(path))
        _check(stats.stats)  # type: ignore[attr-defined]
    except OSError as error:
        raise NoProfile(f"{path} can't be read: {error.strerror or error}.") from error
    except (ValueError, TypeError, EOFError, AttributeError) as error:
        raise NoProfile(f"{path} is not a profile that pstats can open.") from error
    return stats


def to_stats(table: Table) -> pstats.Stats:
    """Return a table as the standard library's object."""
    stats = pstats.Stats()
    stats.stats = table  # type: ignore[attr-defined]
    stats.get_top_level_stats()
    return stats


def write_table(table: Table, path: Path) -> None:
    """Write a table as a pstats file."""
    to_stats(table).dump_stats(str(path))


def merge(tables: list[Table]) -> Table:
    """Return the sum of several tables."""
    total = pstats.Stats()
    for table in tables:
        if table:
            total.add(to_stats(dict(table)))
    return dict(total.stats)  # type: ignore[attr-defined]


def graft(outer: Table, inner: Table, at: Place) -> Table:
    """Return one table of a process and of what it waited for in another one, as if it had been called there.

    What was profiled inside comes out of the own time of `at`, the function that waited.
    """
    roots = roots_of(inner)
    seconds = sum(inner[root][3] for root in roots)
    called = {root: (*inner[root][:4], {at: inner[root][:4]}) for root in roots}
    primitive, calls, own, total, callers = outer[at]
    waited = {at: (primitive, calls, max(0.0, own - seconds), total, callers)}
    return merge([{**outer, **waited}, {**inner, **called}])


def roots_of(table: Table) -> list[Place]:
    """Return the functions at which the stacks begin, those that take longest first.

    Of functions that call one another and that nobody else calls, the one that takes longest.
    """
    called: dict[Place, list[Place]] = {}
    for place, row in table.items():
        for caller in row[4]:
            called.setdefault(caller, []).append(place)
    first = [place for place, row in table.items() if not set(row[4]) - {place}]
    seen: set[Place] = set()
    roots = []
    for place in (*first, *sorted(table, key=lambda place: -table[place][3])):
        if place not in seen:
            roots.append(place)
            _see(place, called, seen)
    return sorted(roots, key=lambda place: -table[place][3])


def _see(begin: Place, called: dict[Place, list[Place]], seen: set[Place]) -> None:
    waiting = [begin]
    while waiting:
        place = waiting.pop()
        if place not in seen:
            seen.add(place)
            waiting += called.get(place, [])


def subtract(later: Table, earlier: Table) -> Table:
    """Return what was added between two tables of one profiler; functions that were not called are left out."""
    return {
        place: _less(row, earlier[place]) if place in earlier else row
        for place, row in later.items()
        if place not in earlier or row[1] > earlier[place][1]
    }


def _less(row: Row, before: Row) -> Row:
    callers = {
        place: tuple(a - b for a, b in zip(counts, before[4].get(place, (0, 0, 0, 0)), strict=True))
        for place, counts in row[4].items()
        if counts != before[4].get(place)
    }
    return row[0] - before[0], row[1] - before[1], row[2] - before[2], row[3] - before[3], callers


def _check(table: Any) -> None:
    for (file, line, function), (primitive, calls, own, total, callers) in table.items():
        if not (isinstance(file, str) and isinstance(line, int) and isinstance(function, str)):
            raise TypeError("no place")
        if not (primitive + calls + own + total >= 0 and isinstance(callers, dict)):
            raise TypeError("no row")
