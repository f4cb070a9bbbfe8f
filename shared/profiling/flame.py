"""A profile as a flame graph: an SVG of its own, with nothing from elsewhere.

A pstats file knows who called whom, not whole stacks. So a function's time under one caller is spread over its callees
in the proportions that the whole file has: right where a function does the same for all its callers. Recursions go on
in the proportions of their calls.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from shared.profiling.flow import Flow, flow_of
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
    flow = flow_of(table)
    total = sum(entry.seconds for entry in flow.entries)
    growing = _Growing(flow, total * _LEAST_PIXELS / WIDTH)
    left = 0.0
    for entry in sorted(flow.entries, key=lambda entry: -entry.seconds):
        growing.grow(Bar(entry.place, 0, left, entry.seconds))
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

    def __init__(self, flow: Flow, least_seconds: float) -> None:
        self._flow = flow
        self._least_seconds = least_seconds
        self.bars: list[Bar] = []

    def grow(self, bar: Bar) -> None:
        """Set a bar and those of its callees; in a recursion each is narrower than the one below."""
        if bar.seconds < self._least_seconds or bar.depth > _DEEPEST:
            return
        self.bars.append(bar)
        left = bar.left
        for callee, share in self._flow.handed_on.get(bar.place, []):
            self.grow(Bar(callee, bar.depth + 1, left, bar.seconds * share))
            left += bar.seconds * share


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
