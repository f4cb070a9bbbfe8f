"""How time runs through a profile: where it comes in, and how much each function hands on to whom.

Between functions that call each other in a circle a profile's times overlap, as both are on the stack at once. So a
circle is looked at as one: what comes in is its own time and what it hands on, less what is known of its callers. All
that comes in is the whole, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass

from shared.profiling.circles import circles_of
from shared.profiling.pstat_tables import Place, Row, Table


@dataclass(frozen=True, slots=True)
class Entry:
    """A function that was called from outside of what was profiled, and the seconds until it returned."""

    place: Place
    calls: int
    seconds: float


def entries_of(table: Table) -> list[Entry]:
    """Return where time comes into a profile of any profiler; the seconds add up to the whole."""
    circles = circles_of({place: list(row[4]) for place, row in table.items()})
    circle_of = {place: number for number, circle in enumerate(circles) for place in circle}
    came_in = [sum(max(0.0, table[place][2]) for place in circle) for circle in circles]
    for callee, caller, seconds in _handed(table):
        if circle_of[caller] != circle_of[callee]:
            came_in[circle_of[caller]] += seconds
            came_in[circle_of[callee]] -= seconds
    found = [
        entry
        for circle, seconds in zip(circles, came_in, strict=True)
        if seconds > 0
        for entry in _enter(table, circle, seconds)
    ]
    return _add_up_to(sum(max(0.0, row[2]) for row in table.values()), found)


def callees_of(table: Table) -> dict[Place, list[tuple[Place, float]]]:
    """Return whom each function calls, and the seconds until they returned; who took most comes first."""
    found: dict[Place, list[tuple[Place, float]]] = {}
    for callee, caller, seconds in _handed(table):
        if seconds > 0:
            found.setdefault(caller, []).append((callee, seconds))
    return {caller: sorted(callees, key=lambda callee: -callee[1]) for caller, callees in found.items()}


def _handed(table: Table) -> Iterator[tuple[Place, Place, float]]:
    """Return callee, caller and seconds; a profiler that counts alone has its part of the seconds by that."""
    for callee, row in table.items():
        for caller, counts in row[4].items():
            if caller not in table:
                continue
            if isinstance(counts, tuple):
                yield callee, caller, max(0.0, counts[3])
            else:
                yield callee, caller, max(0.0, row[3] * counts / row[1]) if row[1] > 0 else 0.0


def _enter(table: Table, circle: Set[Place], seconds: float) -> list[Entry]:
    """Return where a circle was entered from outside of the profile.

    Its members were called more often than callers are known for. A profiler that counts no calls leaves the one that
    took longest, unless somebody else called it.
    """
    missing = {place: _calls_from_nowhere(table[place]) for place in sorted(circle)}
    weights = {
        place: calls * table[place][3] / max(1, table[place][0]) for place, calls in missing.items() if calls > 0
    }
    whole = sum(weights.values())
    if whole > 0:
        return [Entry(place, missing[place], seconds * weight / whole) for place, weight in weights.items()]
    if any(caller in table and caller not in circle for place in circle for caller in table[place][4]):
        return []
    first = max(missing, key=lambda place: table[place][3])
    return [Entry(first, max(1, table[first][0]), seconds)]


def _calls_from_nowhere(row: Row) -> int:
    known = [counts[0] if isinstance(counts, tuple) else counts for counts in row[4].values()]
    return int(row[1] - sum(known)) if row[1] > 0 and all(many >= 0 for many in known) else 0


def _add_up_to(whole: float, entries: list[Entry]) -> list[Entry]:
    """Take what clocks of two processes disagree about out of all alike."""
    seconds = sum(entry.seconds for entry in entries)
    return [Entry(entry.place, entry.calls, entry.seconds * whole / seconds) for entry in entries if seconds > 0]
