"""Makes orders, as a submission in JSON has them, of the rows of a sheet; whether they are good is for validation.

Without a column of line numbers every row is an order of one line; with one, consecutive rows of the same order
number are the lines of one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from gm_service.orders.formulas import begins_like_formula
from gm_service.orders.imports.files.columns import LINE, ColumnMatch
from gm_service.orders.imports.files.reading import Sheet, SheetRow
from gm_service.orders.imports.row_reasons import DISAGREEMENT, Disagreement
from gm_service.orders.imports.validation import LINE_COLUMNS, ORDER_COLUMNS
from shared.errors import RuleRefused

_TOTAL_WORDS = frozenset(("total", "totals", "subtotal", "grand total", "合计", "总计", "小计"))
_SUMMED = {"quantity", "unit_price"}
Fields = Sequence[str | None]
Cells = Sequence[Any]


@dataclass(frozen=True, slots=True)
class FileOrder:
    """An order of a file, and where it stands in it."""

    order: dict[str, Any]
    """by field; cells without anything are left out"""
    first_row: int
    """as the spreadsheet numbers it"""
    cells: list[list[Any]]
    """of each of its rows, as they were read"""


def to_orders(sheet: Sheet, match: ColumnMatch) -> list[FileOrder]:
    """Return the orders of a sheet, in its order; rows that say nothing about one are passed over.

    Raises:
        RuleRefused: none is left.
    """
    rows = filled_rows(sheet, match)
    if LINE not in match.fields:
        return [to_order([row], sheet, match) for row in rows]
    number = match.fields.index("order_no")
    # By text, because one row may have the number as a number; rows without one are never taken together.
    together = groupby(rows, lambda row: _text(row.cells[number]) or row.number)
    return [to_order(list(lines), sheet, match) for _, lines in together]


def filled_rows(sheet: Sheet, match: ColumnMatch) -> list[SheetRow]:
    """Return the rows that say something about an order; formulas copied down a further column, and totals, don't.

    Raises:
        RuleRefused: there are none.
    """
    places = {field: place for place, field in enumerate(match.fields) if field not in (None, LINE)}
    rows = [row for row in sheet.rows if not _says_nothing({field: row.cells[at] for field, at in places.items()})]
    if not rows:
        raise RuleRefused(
            problem="No row of the file has anything in the columns of an order.",
            problem_zh="文件中没有任何一行在订单列中填有内容。",
        )
    return rows


def _says_nothing(values: dict[str | None, Any]) -> bool:
    """Tell whether a row is empty or a line of totals, such as our own exports end with."""
    filled = {field: _text(value) for field, value in values.items() if not is_blank(value)}
    words = [text for field, text in filled.items() if field not in _SUMMED]
    return not filled or (len(words) == 1 and words[0].strip(":： ").casefold() in _TOTAL_WORDS)


def to_order(rows: Sequence[SheetRow], sheet: Sheet, match: ColumnMatch) -> FileOrder:
    """Return the one order that `rows` are the lines of; one row without a line number is a flat order."""
    given = [_by_field(row.cells, match.fields, sheet.kind == "csv") for row in rows]
    is_flat = LINE not in match.fields and len(given) == 1
    order = given[0] if is_flat else _with_lines(given)
    return FileOrder(order, rows[0].number, [list(row.cells) for row in rows])


def cells_of_order(order: Any, fields: Fields) -> list[list[Any]]:
    """Return the cells that an order submitted as JSON makes in columns of `fields`, one row per line.

    Whatever is no order makes one row of empty cells.
    """
    if not isinstance(order, dict):
        return [[None] * len(fields)]
    lines = order.get("lines")
    if not isinstance(lines, list) or not lines:
        return [_cells({LINE: 1, **order}, fields)]
    header = {name: value for name, value in order.items() if name in ORDER_COLUMNS}
    return [_cells({**header, LINE: place, **_dict(line)}, fields) for place, line in enumerate(lines, start=1)]


def is_blank(cell: Any) -> bool:
    """Tell whether a cell has nothing to see in it."""
    return not _text(cell)


def _text(cell: Any) -> str:
    """Return what a person reads in a cell: a code is the same code as a number and as a text."""
    return "" if cell is None else str(cell).strip()


def _by_field(cells: Cells, fields: Fields, is_csv: bool) -> dict[str, Any]:
    pairs = zip(fields, cells, strict=True)
    return {field: _undefused(cell) if is_csv else cell for field, cell in pairs if field and not is_blank(cell)}


def _undefused(cell: Any) -> Any:
    """Take away the apostrophe that our own .csv exports put before what looks like a formula."""
    is_defused = isinstance(cell, str) and cell.startswith("'") and begins_like_formula(cell[1:])
    return cell[1:] if is_defused else cell


def _with_lines(given: Sequence[dict[str, Any]]) -> dict[str, Any]:
    header: dict[str, Any] = {}
    for row in given:
        for name in ORDER_COLUMNS & row.keys():
            header.setdefault(name, row[name])
    order = {**header, "lines": [_line(row) for row in given]}
    disagreement = _find_disagreement(given, header)
    return {**order, DISAGREEMENT: disagreement} if disagreement else order


def _line(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in LINE_COLUMNS}


def _find_disagreement(given: Sequence[dict[str, Any]], header: dict[str, Any]) -> Disagreement | None:
    """Return the first header value that is not the first line's, or the first line number that stands twice."""
    seen: set[str] = set()
    for place, row in enumerate(given):
        for name in sorted(ORDER_COLUMNS & row.keys()):
            if _text(row[name]) != _text(header[name]):
                return {"column": f"lines[{place}].{name}", "value": row[name], "first": header[name]}
        number = _text(row.get(LINE, f"no number {place}"))
        if number in seen:
            return {"column": f"lines[{place}].{LINE}", "value": row[LINE], "first": row[LINE]}
        seen.add(number)
    return None


def _cells(values: dict[str, Any], fields: Iterable[str | None]) -> list[Any]:
    return [values.get(field) if field else None for field in fields]


def _dict(line: Any) -> dict[str, Any]:
    return line if isinstance(line, dict) else {}
