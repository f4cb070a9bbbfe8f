"""Turns orders into the XML of spreadsheet rows in few steps a row; the sheets around them are for `xlsx_writer`.

What an order's lines share is rendered once an order. A row's number stands in the name of each of its cells; it is
put in last, by one replacement: until then NUL stands for it, which no text of a cell can hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from gm_service.orders.exports.columns import CellType, ExportColumn
from gm_service.orders.exports.rows import Row
from gm_service.orders.exports.xlsx_widths import fit_width
from gm_service.orders.models import Order
from gm_service.yongyou import CodeMaps
from shared.errors import Language

_NUMBER_FORMATS = {
    CellType.PRICE: "0.00##",
    CellType.EXACT_PRICE: "0.00########",
    CellType.AMOUNT: "0.00",
    CellType.DATE: "yyyy-mm-dd",
    CellType.DATETIME: "yyyy-mm-dd hh:mm:ss",
}
_STYLES = {cell_type: place for place, cell_type in enumerate(_NUMBER_FORMATS, start=1)}
_BOLD = len(_NUMBER_FORMATS) + 1  # is added to a style: the bold ones come behind the plain ones
FORMATS = list(_NUMBER_FORMATS.values())
"""the number formats that the cells' styles count on"""

# The same for all lines of an order: what an order has, and the name of its cycle. Everything else may differ.
_ORDER_FIELDS = frozenset({field.name for field in fields(Order)} | {"cycle_name"})
_ROW_NUMBER = "\0"
_DAY_ZERO = date(1899, 12, 30)  # right from March 1900 on
_SECONDS_A_DAY = 86_400
# How many texts a column remembers: SKUs, units and the like come again and again, even in other orders. An order's
# own texts are rendered once an order anyway, and may be long ones that never come again.
_REMEMBERED_TEXTS, _REMEMBERED_ORDERS_TEXTS = 4096, 256

# What XML can't hold or would change, and what a reader would decode (ECMA-376 part 1, 22.9.2.19, ST_Xstring).
_SPECIAL = re.compile("[&<>\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_REPLACEMENTS = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "_": "_x005F_"}


class RowRenderer:
    """Renders the rows of some columns in one language."""

    def __init__(self, columns: Sequence[ExportColumn], language: Language, code_maps: CodeMaps) -> None:
        self._columns = columns
        self._language = language
        self._cells = [_Cell(place, column, language, code_maps) for place, column in enumerate(columns)]
        self._gaps = [(cell.fill, cell.read) for cell in self._cells if not cell.is_shared]

    def header(self) -> str:
        """Return the row of titles, the first of a sheet."""
        titles = (column.title(self._language) for column in self._columns)
        return _numbered(_row([_text_cell(place, title, _BOLD) for place, title in enumerate(titles)]), 1)

    def iter_rows(self, order: Sequence[Row], first_number: int) -> Iterator[str]:
        """Yield the rows of one order; `first_number` is the first one's place in the sheet, from 1."""
        template = self._template(order[0])
        for number, row in enumerate(order, first_number):
            yield _numbered(template % tuple([fill(read(row)) for fill, read in self._gaps]), number)

    def totals(self, values: Sequence[str | Decimal | None], number: int) -> str:
        """Return a bold row of a word and sums, each under its column."""
        cells = [
            _text_cell(place, value, _BOLD)
            if isinstance(value, str)
            else _number_cell(place, str(value), _BOLD + _style(column))
            for place, (column, value) in enumerate(zip(self._columns, values, strict=True))
            if value is not None
        ]
        return _numbered(_row(cells), number)

    def fit_widths(self, rows: Sequence[Row]) -> list[int]:
        """Return how wide the columns should be, going by these rows."""
        return [fit_width(cell.column, self._language, map(cell.read, rows)) for cell in self._cells]

    def _template(self, row: Row) -> str:
        """Return a row that has the order's cells whole, and the line's with a gap."""
        return _row([cell.whole(row) if cell.is_shared else cell.gap for cell in self._cells])


class _Cell:
    """How the cells of a column come about: by filling the gap (as `%` does) in a piece of XML."""

    def __init__(self, place: int, column: ExportColumn, language: Language, code_maps: CodeMaps) -> None:
        self.column = column
        self.is_shared = column.source.removeprefix("line.") in _ORDER_FIELDS
        self.read = column.reader(code_maps)
        self.fill: Callable[[Any], str] = str
        if column.type in (CellType.TEXT, CellType.LABEL):
            # The gap is the whole cell, because an empty text has none. One that comes again is the same cell again.
            self.gap = "%s"
            remembered = _REMEMBERED_ORDERS_TEXTS if self.is_shared else _REMEMBERED_TEXTS
            self.fill = lru_cache(remembered)(_text_renderer(place, column.type, language))
        else:
            self.gap = _number_cell(place, "%s", _style(column))
            if column.type in (CellType.DATE, CellType.DATETIME):
                self.fill = _serial_text

    def whole(self, row: Row) -> str:
        """Return the cell for a row that `%` goes over once more."""
        return (self.gap % self.fill(self.read(row))).replace("%", "%%")


def column_name(place: int) -> str:
    """Return the letters of a column, which are counted from 0."""
    before, last = divmod(place, 26)
    return (column_name(before - 1) if before else "") + chr(ord("A") + last)


def to_serial(value: date) -> float:
    """Return a date, or a datetime without offset, as spreadsheets count: in days."""
    if not isinstance(value, datetime):
        return (value - _DAY_ZERO).days
    seconds = value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1_000_000
    return (value.date() - _DAY_ZERO).days + seconds / _SECONDS_A_DAY


def escape(text: str) -> str:
    """Return what stands for `text` in XML; what no file can hold becomes a replacement character."""
    return _SPECIAL.sub(_replacement, text)


def _style(column: ExportColumn) -> int:
    return _STYLES.get(column.type, 0)


def _serial_text(value: date) -> str:
    return str(to_serial(value))


def _replacement(found: re.Match[str]) -> str:
    character = found[0]
    if character < " ":
        return f"_x{ord(character):04X}_"
    return _REPLACEMENTS.get(character, "\ufffd")


def _text_renderer(place: int, cell_type: CellType, language: Language) -> Callable[[Any], str]:
    if cell_type is CellType.LABEL:
        return lambda member: _text_cell(place, member.label(language))
    return lambda text: _text_cell(place, text)


def _text_cell(place: int, text: str, style: int = 0) -> str:
    """Return a cell that no program calculates or takes for a number, whatever it looks like."""
    if not text:
        return ""
    keep_spaces = ' xml:space="preserve"' if text[0].isspace() or text[-1].isspace() else ""
    return f'<c{_cell_attributes(place, style)} t="inlineStr"><is><t{keep_spaces}>{escape(text)}</t></is></c>'


def _number_cell(place: int, number: str, style: int) -> str:
    return f"<c{_cell_attributes(place, style)}><v>{number}</v></c>"


def _cell_attributes(place: int, style: int) -> str:
    return f' r="{column_name(place)}{_ROW_NUMBER}"' + (f' s="{style}"' if style else "")


def _row(cells: Sequence[str]) -> str:
    return f'<row r="{_ROW_NUMBER}">{"".join(cells)}</row>'


def _numbered(row: str, number: int) -> str:
    return row.replace(_ROW_NUMBER, str(number))
