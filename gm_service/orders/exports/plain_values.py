"""Says values in files of plain text: csv, xml, txt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gm_service.orders.exports.columns import CellType, ExportColumn
from gm_service.orders.exports.rows import Row
from gm_service.yongyou import CodeMaps
from shared.errors import Language

Clean = Callable[[str], str]
REMEMBERED_TEXTS = 4096
"""how many cleaned texts a writer keeps: names and codes come again and again"""


def text_reader(column: ExportColumn, code_maps: CodeMaps, language: Language, clean: Clean) -> Callable[[Row], str]:
    """Return what reads the column's text from a row; `clean` makes text of people fit the file."""
    read = column.reader(code_maps)
    if column.type is CellType.TEXT:
        return lambda row: clean(read(row))
    if column.type is CellType.LABEL:
        return lambda row: clean(read(row).label(language))
    say = _SAY[column.type]
    return lambda row: say(read(row))


def _plain_number(value: Any) -> str:
    return f"{value.normalize():f}"


_SAY: dict[CellType, Callable[[Any], str]] = {
    CellType.INTEGER: str,
    CellType.NUMBER: _plain_number,
    CellType.PRICE: str,
    CellType.EXACT_PRICE: _plain_number,
    CellType.AMOUNT: str,
    CellType.DATE: str,
    CellType.DATETIME: lambda value: str(value.isoformat(" ", "seconds")),
}
