"""What `gm profile` prints of a pstats file: tables, callers and callees, comparisons."""

from __future__ import annotations

import io
import os
import pstats
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import cast

from shared.profiling.ledger import ROOT
from shared.profiling.pstat_tables import Place, Table, open_stats, open_table

DEFAULT_SORT = ("cumulative", "time")
DEFAULT_PERCENT = "0.5"
_LIBRARY = re.compile(r"^.*/lib/python3\.\d+/")


class NotAsked(Exception):
    """What can't be printed as it was asked for, in a sentence."""


def statistics(path: Path, sort: Sequence[str], restriction: str, keep_folders: bool) -> str:
    """Return the table of a profile as pstats prints it.

    `restriction` is a fraction of the rows (0.1), a number of rows (20), or a pattern that names must match.

    Raises:
        NoProfile: the file is none.
        NotAsked: pstats has no such order, the pattern is malformed, or no function matches it.
    """
    return _print(path, "print_stats", sort, restriction, keep_folders)


def callers(path: Path, pattern: str) -> str:
    """Return who called the functions whose names match; raises as `statistics` does."""
    return _print(path, "print_callers", ("cumulative",), pattern, keep_folders=False)


def callees(path: Path, pattern: str) -> str:
    """Return whom they called; raises as `statistics` does."""
    return _print(path, "print_callees", ("cumulative",), pattern, keep_folders=False)


def _print(path: Path, what: str, sort: Sequence[str], restriction: str, keep_folders: bool) -> str:
    stats, out = open_stats(path), io.StringIO()
    stats.stream = out  # type: ignore[attr-defined]
    if not keep_folders:
        stats.strip_dirs()
    try:
        re.compile(restriction)  # pstats would print everything instead
        stats.sort_stats(*sort)
        wanted = as_restriction(restriction)
        if isinstance(wanted, str) and not _matching(stats, wanted):
            raise NotAsked(f"No function of {path.name} matches {restriction!r}.")
        getattr(stats, what)(wanted)
    except KeyError as error:
        raise NotAsked(f"There is no order {error}; one is cumulative, time, calls, name, file.") from error
    except re.error as error:
        raise NotAsked(f"{restriction!r} is not a pattern: {error}.") from error
    return out.getvalue().strip()


def _matching(stats: pstats.Stats, pattern: str) -> list[Place]:
    table = cast(Table, stats.stats)  # type: ignore[attr-defined]
    name: Callable[[Place], str] = pstats.func_std_string  # type: ignore[attr-defined]
    return [place for place in table if re.search(pattern, name(place))]


def as_restriction(text: str) -> float | int | str:
    """Read -p: 0.1 is a tenth of the rows, 1 all of them, 20 twenty of them, anything else a pattern."""
    try:
        number = float(text)
    except ValueError:
        return text
    if not isfinite(number):  # "info" may be meant, and "nan"
        return text
    if 0 <= number <= 1:
        return number
    return int(number) if number == int(number) and number > 0 else text


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed of one function between two profiles; seconds are its own."""

    name: str
    seconds_before: float = 0.0
    seconds_after: float = 0.0
    calls_before: int = 0
    calls_after: int = 0

    @property
    def seconds(self) -> float:
        """How much more it takes."""
        return self.seconds_after - self.seconds_before


def differences(before: Path, after: Path, most: int) -> list[Difference]:
    """Return what changed most between two profiles.

    Functions are one where file and name are: their lines move from release to release.

    Raises:
        NoProfile: a file is none.
    """
    earlier, later = _by_function(open_table(before)), _by_function(open_table(after))
    found = []
    for name in {*earlier, *later}:
        was, became = earlier.get(name, (0.0, 0)), later.get(name, (0.0, 0))
        found.append(Difference(name, was[0], became[0], was[1], became[1]))
    return sorted(found, key=lambda difference: -abs(difference.seconds))[:most]


def _by_function(table: Table) -> dict[str, tuple[float, int]]:
    totals: dict[str, tuple[float, int]] = {}
    for (file, _line, function), row in table.items():
        name = show_place((file, 0, function))
        seconds, calls = totals.get(name, (0.0, 0))
        totals[name] = (seconds + row[2], calls + row[1])
    return totals


def show_place(place: Place) -> str:
    """Return a function as people find it: `orders/store.py:88(count)`; built-in ones by their names."""
    file, line, function = place
    if file in ("~", ""):
        return function
    name = shorten(file)
    return f"{name}:{line}({function})" if line else f"{name}({function})"


def shorten(file: str) -> str:
    """Return a file's path below the packages, below the project's folder, or below the standard library."""
    for mark in ("/site-packages/", "/dist-packages/", f"{ROOT}{os.sep}"):
        if mark in file:
            return file.rpartition(mark)[2]
    return _LIBRARY.sub("", file)
