"""Says how wide a spreadsheet's column should be, going by the first rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from unicodedata import east_asian_width

from gm_service.orders.exports.columns import CellType, ExportColumn
from shared.errors import Language

MAX_WIDTH = 60
"""in characters; of a longer text the end is out of sight, never out of the file"""
_MARGIN = 2
_FIXED = {CellType.DATE: len("2026-01-31"), CellType.DATETIME: len("2026-01-31 08:30:00")}


def fit_width(column: ExportColumn, language: Language, values: Iterable[Any]) -> int:
    """Return the width in Latin letters that title and values need; at least what the profile declares."""
    widest = max((_shown_width(column.type, value, language) for value in values), default=0)
    needed = max(widest, _text_width(column.title(language))) + _MARGIN
    return min(max(needed, column.width), MAX_WIDTH)


def _shown_width(cell_type: CellType, value: Any, language: Language) -> int:
    if cell_type in _FIXED:
        return _FIXED[cell_type]
    return _text_width(value.label(language) if cell_type is CellType.LABEL else str(value))


def _text_width(text: str) -> int:
    """Return the width in Latin letters; a Chinese character takes the place of two."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(each) in "WF" else 1 for each in text)
