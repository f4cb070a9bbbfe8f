"""A profile as a flame graph: an SVG of its own, with nothing from elsewhere.

A pstats file knows who called whom, not whole stacks. So a function's time under one caller is spread over its callees
in the proportions that the whole file has: right where a function does the same for all its callers. Recursions are
shown once or twice, however deep they were.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from shared.profiling.flow import callees_of, entries_of
from shared.profiling.pstat_tables import Place, Table
from shared.profiling.report import show_place

WIDTH, ROW = 1200, 18
_LEAST_PIXELS = 1.0
_DEEPEST = 60
_LETTER = 6.6


@dataclass(frozen=True, slots=True)
class Bar:
    """A function at one place of the picture; `left` and `seconds` in seconds."""

    place: Place
    depth: int
    left: float
    seconds: float


def lay_out(table: Table) -> list[Bar]:
    """Return the bars, roots first; what is narrower than a pixel is left out."""
    entries = entries_of(table)
    total = sum(entry.seconds for entry in entries)
    growing = _Growing(table, total * _LEAST_PIXELS / WIDTH)
    left = 0.0
    for entry in sorted(entries, key=lambda entry: -entry.seconds):
        growing.grow(Bar(entry.place, 0, left, entry.seconds), (entry.place,))
        left += entry.seconds
    return growing.bars


def draw_flame(table: Table) -> str:
    """Return the SVG."""
    bars = lay_out(table)
    total = sum(bar.seconds for bar in bars if bar.depth == 0) or 1.0
    height = (max((bar.depth for bar in bars), default=0) + 1) * ROW + 4
    shapes = "".join(_shapes(bars, total))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="monospace" font-size="11">{shapes}</svg>\n'
    )


class _Growing:
    """Sets bars upon one another."""

    def __init__(self, table: Table, least_seconds: float) -> None:
        self._table = table
        self._callees = callees_of(table)
        self._least_seconds = least_seconds
        self.bars: list[Bar] = []

    def grow(self, bar: Bar, path: tuple[Place, ...]) -> None:
        """Set a bar and those of its callees, those that took most first; what they leave is its own time."""
        if bar.seconds < self._least_seconds or bar.depth > _DEEPEST:
            return
        self.bars.append(bar)
        own, total = self._table[bar.place][2:4]
        callees = [each for each in self._callees.get(bar.place, []) if path.count(each[0]) < self._times(each[0])]
        # Where some are below already, the others share what is left: the circle goes round no more.
        whole = max(0.0, own) + sum(seconds for _, seconds in callees)
        whole = min(whole, total) if total > 0 else whole
        left, end = bar.left, bar.left + bar.seconds
        for callee, seconds in callees if whole > 0 else []:
            width = min(bar.seconds * seconds / whole, end - left)
            self.grow(Bar(callee, bar.depth + 1, left, width), (*path, callee))
            left += width

    def _times(self, place: Place) -> int:
        """Return how often a function may be in one stack: once, or twice to show that it is recursive."""
        primitive, calls = self._table[place][:2]
        return 2 if primitive < calls else 1


def _shapes(bars: list[Bar], total: float) -> Iterator[str]:
    for bar in bars:
        x, width = bar.left / total * WIDTH, bar.seconds / total * WIDTH
        name = show_place(bar.place)
        hue = zlib.crc32(bar.place[0].encode()) % 60
        shown = escape(name[: int(width / _LETTER)]) if width > 4 * _LETTER else ""
        yield (
            f"<g><title>{escape(name)}\n{bar.seconds:.4f} s, {bar.seconds / total:.1%}</title>"
            f'<rect x="{x:.1f}" y="{bar.depth * ROW + 2}" width="{max(width - 0.5, 0.5):.1f}" height="{ROW - 1}" '
            f'fill="hsl({hue},75%,62%)"/>'
            f'<text x="{x + 3:.1f}" y="{bar.depth * ROW + 14}">{shown}</text></g>'
        )
