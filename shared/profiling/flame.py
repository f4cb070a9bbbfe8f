"""A profile as a flame graph: an SVG of its own, with nothing from elsewhere.

A pstats file knows who called whom, not whole stacks. So a function's time under one caller is spread over its callees
in the proportions that the whole file has: right where a function does the same for all its callers.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from shared.profiling.pstat_tables import Place, Table, roots_of
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
    roots = [place for place in roots_of(table) if table[place][3] > 0]
    total = sum(table[place][3] for place in roots)
    growing = _Growing(table, total * _LEAST_PIXELS / WIDTH)
    left = 0.0
    for root in roots:
        growing.grow(Bar(root, 0, left, table[root][3]), (root,))
        left += table[root][3]
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


def _callees(table: Table) -> dict[Place, list[tuple[Place, float]]]:
    called: dict[Place, list[tuple[Place, float]]] = {}
    for place, row in table.items():
        for caller, counts in row[4].items():
            seconds = counts[3] if isinstance(counts, tuple) else 0.0
            if caller != place and seconds > 0:
                called.setdefault(caller, []).append((place, seconds))
    return called


class _Growing:
    """Sets bars upon one another."""

    def __init__(self, table: Table, least_seconds: float) -> None:
        self._table = table
        self._called = _callees(table)
        self._least_seconds = least_seconds
        self.bars: list[Bar] = []

    def grow(self, bar: Bar, path: tuple[Place, ...]) -> None:
        """Set a bar and those of its callees, without those that are below already."""
        if bar.seconds < self._least_seconds or bar.depth > _DEEPEST:
            return
        self.bars.append(bar)
        whole = self._table[bar.place][3]
        share = bar.seconds / whole if whole else 0.0
        left, end = bar.left, bar.left + bar.seconds
        for callee, seconds in sorted(self._called.get(bar.place, []), key=lambda item: -item[1]):
            width = max(0.0, min(seconds * share, end - left))
            if callee not in path:
                self.grow(Bar(callee, bar.depth + 1, left, width), (*path, callee))
            left += width


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
