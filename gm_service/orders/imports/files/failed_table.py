"""The sheet of failed rows: the clerk's own columns, a column of marks, and last the reasons."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import xlsxwriter

from gm_service.orders.imports.files.columns import MARKS_TITLES, REASON_TITLES, is_title_of
from gm_service.orders.imports.files.limits import EXACT_BELOW
from gm_service.orders.imports.files.text_cells import storable
from shared.errors import Language

_MAX_WIDTH = 60
_MIN_WIDTH = 8
_WIDE_FROM = "\u1100"
"""characters from here on are mostly twice as wide"""
_IN_LINE = re.compile(r"lines\[(?P<place>[0-9]{1,4})\]\.(?P<field>\w+)")
_SHEET_NAMES = ("Failed rows", "失败行")


class FailedTable:
    """The sheet while it is being written: columns that a file has from an earlier correction are written anew."""

    def __init__(
        self, book: xlsxwriter.Workbook, titles: Sequence[str], fields: Sequence[str | None], language: Language
    ) -> None:
        in_chinese = language == "zh"
        ours = (*MARKS_TITLES, *REASON_TITLES)
        self._places = [place for place, title in enumerate(titles) if not is_title_of(title, ours)]
        self._fields = [fields[place] for place in self._places]
        self._styles = _Styles(book)
        self._sheet = book.add_worksheet(_SHEET_NAMES[in_chinese])
        self._next_row = 0
        own = [titles[place] for place in self._places]
        self._widths = [_MIN_WIDTH] * (len(own) + 2)
        self._write_row([*own, MARKS_TITLES[in_chinese], REASON_TITLES[in_chinese]], self._styles.title)

    def write_order(self, rows: Sequence[Sequence[Any]], mark: str, reason: str, column: str | None) -> None:
        """Add the rows of one order, each with its mark and the reason; the cell that it is about gets a colour."""
        faulty_line, faulty_field = _split(column)
        for place, cells in enumerate(rows):
            own = [cells[at] if at < len(cells) else None for at in self._places]
            is_here = place == faulty_line and faulty_field is not None and faulty_field in self._fields
            faulty = self._fields.index(faulty_field) if is_here else None
            self._write_row([*own, mark, reason], self._styles.text, faulty)

    def finish(self) -> None:
        """Set what is known only now."""
        self._sheet.freeze_panes(1, 0)
        for place, width in enumerate(self._widths):
            # The style of the column is what a clerk's new cell gets: a code typed there stays text.
            self._sheet.set_column(place, place, width, self._styles.text)

    def _write_row(self, cells: Sequence[Any], style: Any, faulty: int | None = None) -> None:
        for place, cell in enumerate(cells):
            is_number = isinstance(_exact(cell), int | float)
            chosen = self._styles.number if is_number else style
            if place == faulty:
                chosen = self._styles.faulty_number if is_number else self._styles.faulty
            width = self._write_cell(place, cell, chosen)
            self._widths[place] = max(self._widths[place], min(width + 2, _MAX_WIDTH))
        self._next_row += 1

    def _write_cell(self, place: int, cell: Any, style: Any) -> int:
        """Write one cell and return the width that it takes."""
        at = (self._next_row, place)
        cell = _exact(cell)
        if cell is None:
            self._sheet.write_blank(*at, None, style)
            return 0
        if isinstance(cell, bool):
            self._sheet.write_boolean(*at, cell, style)
        elif isinstance(cell, int | float):
            self._sheet.write_number(*at, cell, style)
        else:
            text = storable(cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False))
            self._sheet.write_string(*at, text, style)
            return sum(1 if character < _WIDE_FROM else 2 for character in text[:_MAX_WIDTH])
        return len(str(cell))


@dataclass(slots=True)
class _Styles:
    """How cells look; `@` keeps a text a text when the clerk edits it."""

    book: xlsxwriter.Workbook
    title: Any = field(init=False)
    text: Any = field(init=False)
    number: Any = field(init=False)
    faulty: Any = field(init=False)
    faulty_number: Any = field(init=False)

    def __post_init__(self) -> None:
        marked = {"bg_color": "#FFC7CE", "font_color": "#9C0006"}
        self.title = self.book.add_format({"bold": True, "num_format": "@"})
        self.text = self.book.add_format({"num_format": "@"})
        self.number = self.book.add_format({})
        self.faulty = self.book.add_format({"num_format": "@", **marked})
        self.faulty_number = self.book.add_format(marked)


def _exact(cell: Any) -> Any:
    """Return as text a number that a spreadsheet would round or can't hold; a float is rounded already."""
    if isinstance(cell, int):
        return cell if abs(cell) < EXACT_BELOW else str(cell)
    return str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell


def _split(column: str | None) -> tuple[int, str | None]:
    """Return which row of an order and which field a reason is about."""
    in_line = _IN_LINE.fullmatch(column or "")
    return (int(in_line["place"]), in_line["field"]) if in_line else (0, column)
