"""The tables of pstats files as values: merge them, take one from another, write and open them.

Keys are (file, line, function); values are (primitive calls, calls, own seconds, total seconds, callers).
"""

from __future__ import annotations

import pstats
import time
from math import isfinite
from pathlib import Path
from typing import Any

from shared.profiling.marshalled import read_marshalled
from shared.profiling.naming import show_printable

Place = tuple[str, int, str]
Row = tuple[int, int, float, float, dict[Place, Any]]
Table = dict[Place, Row]
_MOST_BYTES = 256 * 1024**2


class NoProfile(Exception):
    """A file that can't be opened as a profile, in a sentence."""


def open_table(path: Path) -> Table:
    """Return the table of any pstats file, of whichever Python version and profiler.

    Raises:
        NoProfile: it is none, or can't be read.
    """
    try:
        if not path.is_file() and path.exists():
            raise NoProfile(f"{path} is not a file.")
        if path.stat().st_size > _MOST_BYTES:
            raise NoProfile(f"{path} is larger than {_MOST_BYTES // 1024**2} MiB, which no profile is.")
        return _as_table(read_marshalled(path.read_bytes()))
    except OSError as error:
        raise NoProfile(f"{path} can't be read: {error.strerror or error}.") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise NoProfile(f"{path} is not a profile that pstats can open.") from error


def open_stats(path: Path) -> pstats.Stats:
    """Open any pstats file as the standard library's object; raises as `open_table` does."""
    stats = to_stats(open_table(path))
    stats.files = [f"{time.ctime(path.stat().st_mtime)}    {path}"]  # type: ignore[attr-defined]
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


def _as_table(read: Any) -> Table:
    if not read:
        raise TypeError("pstats takes no profile without a function for one")
    return _with_all_callers({_as_place(place): _as_row(*row) for place, row in read.items()})


def _with_all_callers(table: Table) -> Table:
    """Give callers that a profiler left out a row without time: pstats and gprof2dot look each of them up."""
    callers = {caller for row in table.values() for caller in row[4]}
    return table | {caller: (0, 0, 0.0, 0.0, {}) for caller in sorted(callers - table.keys())}


def _as_place(place: Any) -> Place:
    file, line, function = place
    if not isinstance(line, int):
        raise TypeError("no place")
    return _as_text(file), line, _as_text(function)


def _as_row(primitive: Any, calls: Any, own: Any, total: Any, callers: Any) -> Row:
    _check_numbers(primitive, calls, own, total)
    return primitive, calls, own, total, {_as_place(place): _as_counts(counts) for place, counts in callers.items()}


def _as_counts(counts: Any) -> Any:
    """Check what a caller's row has: how often it called (profile), or that with times (cProfile)."""
    if not isinstance(counts, tuple):
        _check_numbers(counts)
        return counts
    primitive, calls, own, total = counts
    _check_numbers(primitive, calls, own, total)
    return counts


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):  # Python 2
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        raise TypeError("no text")
    return show_printable(value)


def _check_numbers(*numbers: Any) -> None:
    """See that these are finite; some profilers have -1 for what they don't count, or times below 0 by calibration."""
    for number in numbers:
        if not isinstance(number, int | float) or not isfinite(number):
            raise TypeError("no number")
