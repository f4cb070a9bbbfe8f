"""Says how wide a spreadsheet's columns should be, going by the first rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import east_asian_width

from gm_service.orders.exports.profiles import CellType, ExportColumn, OrderDetail
from shared.errors import Language

MAX_WIDTH = 60
"""in characters; a longer text runs on over the next cell or is cut in sight, never in the file"""
_MARGIN = 2
_FIXED = {CellType.DATE: len("2026-01-31"), CellType.DATETIME: len("2026-01-31 08:30:00")}


def fit_widths(columns: Sequence[ExportColumn], language: Language, rows: Iterable[OrderDetail]) -> list[int]:
    """Return each column's width in characters: the declared one, or what its title and these rows need."""
    sample = list(rows)
    return [_fit(column, language, sample) for column in columns]


def _fit(column: ExportColumn, language: Language, rows: Sequence[OrderDetail]) -> int:
    widest = max((_shown_width(column, language, row) for row in rows), default=0)
    needed = max(widest, _text_width(column.title(language))) + _MARGIN
    return min(max(needed, column.width), MAX_WIDTH)


def _shown_width(column: ExportColumn, language: Language, row: OrderDetail) -> int:
    if column.type in _FIXED:
        return _FIXED[column.type]
    value = getattr(row, column.source)
    return _text_width(value.label(language) if column.type is CellType.LABEL else str(value))


def _text_width(text: str) -> int:
    """Return the width in Latin letters; a Chinese character takes the place of two."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(each) in "WF" else 1 for each in text)
