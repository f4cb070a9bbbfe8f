"""How time runs through a profile: where it comes in, and what part of it each function hands on to whom.

Between functions that call each other in a circle a profile's times overlap, as both are on the stack at once. There
the calls that were counted decide; everywhere else the times do. So what comes in is always the whole, once.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from shared.profiling.circles import circles_of
from shared.profiling.pstat_tables import Place, Row, Table

_ROUNDS = 60
"""by which the seconds of a call within a circle have settled, as far as a picture shows"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A function that was called from outside of what was profiled, and the seconds until it returned."""

    place: Place
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Flow:
    """`entries` add up to the whole; `handed_on` has the shares of a function's time that others took, the rest is own.

    A function that calls itself is among its own.
    """

    entries: list[Entry]
    handed_on: dict[Place, list[tuple[Place, float]]]


@dataclass(frozen=True, slots=True)
class _Edge:
    caller: Place
    callee: Place
    calls: float
    seconds: float


def flow_of(table: Table) -> Flow:
    """Return how time runs through a profile of any profiler."""
    circles = circles_of({place: list(row[4]) for place, row in table.items()})
    circle_of = {place: number for number, circle in enumerate(circles) for place in circle}
    edges = [edge for edge in _edges(table) if edge.caller in table]
    inner = [edge for edge in edges if circle_of[edge.caller] == circle_of[edge.callee]]
    outer = [edge for edge in edges if circle_of[edge.caller] != circle_of[edge.callee]]
    spent = {place: max(0.0, row[2]) for place, row in table.items()}
    for edge in outer:
        spent[edge.caller] += edge.seconds
    of_a_call = _seconds_of_a_call(table, spent, inner)
    came_in = dict.fromkeys(range(len(circles)), 0.0)
    for edge in outer:
        came_in[circle_of[edge.callee]] += edge.seconds
    entries = [
        entry
        for number, circle in enumerate(circles)
        for entry in _enter(table, circle, sum(spent[place] for place in circle) - came_in[number], of_a_call)
    ]
    whole = sum(max(0.0, row[2]) for row in table.values())
    return Flow(_add_up_to(whole, entries), _handed_on(table, [*inner, *outer], of_a_call, set(inner)))


def _edges(table: Table) -> list[_Edge]:
    return [
        _Edge(caller, callee, *_measure(row, counts))
        for callee, row in table.items()
        for caller, counts in row[4].items()
    ]


def _measure(row: Row, counts: object) -> tuple[float, float]:
    """Return calls and seconds of one caller; a profiler that counts alone has its part of the seconds by that."""
    if isinstance(counts, tuple):
        return max(0, counts[0]), max(0.0, counts[3])
    calls = counts if isinstance(counts, int) else 0
    return max(0, calls), max(0.0, row[3] * calls / row[1]) if row[1] > 0 else 0.0


def _seconds_of_a_call(table: Table, spent: dict[Place, float], inner: Sequence[_Edge]) -> dict[Place, float]:
    """Return what a call takes with all that it calls; within circles by how often who calls whom."""
    by_itself = {place: spent[place] / max(1, row[1]) for place, row in table.items()}
    known = dict(by_itself)
    for _ in range(_ROUNDS if inner else 0):
        later = {edge.caller: by_itself[edge.caller] for edge in inner}
        for edge in inner:
            later[edge.caller] += edge.calls / max(1, table[edge.caller][1]) * known[edge.callee]
        known.update(later)
    return known


def _enter(table: Table, circle: Set[Place], seconds: float, of_a_call: dict[Place, float]) -> list[Entry]:
    """Return where a circle was entered from outside of the profile, with the seconds that no caller has.

    Its members were called more often than callers are known for. A profiler that counts no calls leaves the one that
    nobody else called.
    """
    if seconds <= 0:
        return []
    missing = {place: _calls_from_nowhere(table[place]) for place in circle}
    weights = {place: calls * of_a_call[place] for place, calls in missing.items() if calls > 0}
    if sum(weights.values()) > 0:
        whole = sum(weights.values())
        return [Entry(place, missing[place], seconds * weight / whole) for place, weight in weights.items()]
    if any(caller in table and caller not in circle for place in circle for caller in table[place][4]):
        return []
    first = max(sorted(circle), key=lambda place: table[place][3])
    return [Entry(first, max(1, table[first][0]), seconds)]


def _calls_from_nowhere(row: Row) -> int:
    known = [counts[0] if isinstance(counts, tuple) else counts for counts in row[4].values()]
    return int(row[1] - sum(known)) if row[1] > 0 and all(many >= 0 for many in known) else 0


def _add_up_to(whole: float, entries: list[Entry]) -> list[Entry]:
    """Take what clocks of two processes disagree about out of all alike."""
    seconds = sum(entry.seconds for entry in entries)
    if seconds <= 0:
        return []
    return [Entry(entry.place, entry.calls, entry.seconds * whole / seconds) for entry in entries]


def _handed_on(
    table: Table, edges: Sequence[_Edge], of_a_call: dict[Place, float], inner: set[_Edge]
) -> dict[Place, list[tuple[Place, float]]]:
    parts: dict[Place, list[tuple[Place, float]]] = {}
    for edge in edges:
        seconds = edge.calls * of_a_call[edge.callee] if edge in inner else edge.seconds
        if seconds > 0:
            parts.setdefault(edge.caller, []).append((edge.callee, seconds))
    shares = {}
    for caller, taken in parts.items():
        whole = max(0.0, table[caller][2]) + sum(seconds for _, seconds in taken)
        shares[caller] = sorted(((callee, seconds / whole) for callee, seconds in taken), key=lambda part: -part[1])
    return shares
