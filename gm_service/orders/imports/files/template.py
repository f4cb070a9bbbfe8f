"""Writes the workbook that a clerk fills in for an import: titles on the first sheet, what they mean on the second."""

from __future__ import annotations

import io

import xlsxwriter

from gm_service.orders.imports.files.columns import LINE, REQUIRED, TITLES, field_title
from gm_service.orders.imports.files.text_cells import CREATED, WORKBOOK_OPTIONS
from shared.errors import Language

_WIDTH = 18
_SHEETS = {"en": ("Orders", "Notes"), "zh": ("订单", "说明")}
_AS_NUMBERS = {LINE, "quantity", "unit_price"}
_NOTES: dict[str, tuple[str, str]] = {
    "order_no": (
        "Text, at most 64 characters; once per station. Leading zeros are kept.",
        "文本，最多 64 个字符，同一站点内不可重复，保留前导零。",
    ),
    "order_time": (
        "Such as 2026-01-31 06:00:00, as text or as a date of the spreadsheet; within the operating cycle.",
        "如 2026-01-31 06:00:00，文本或表格日期均可，须在运营周期内。",
    ),
    "receive_date": (
        "Such as 2026-02-01; empty: derived from the operating cycle.",
        "如 2026-02-01，留空则按运营周期推算。",
    ),
    "buyer_code": ("Text, at most 64 characters.", "文本，最多 64 个字符。"),
    "buyer_name": ("Text, at most 128 characters.", "文本，最多 128 个字符。"),
    "area": ("Text, at most 64 characters.", "文本，最多 64 个字符。"),
    LINE: (
        "1, 2, 3 ...: rows of the same order number, one under the other, are the lines of one order.",
        "1、2、3……：订单号相同且上下相邻的行是同一订单的明细。",
    ),
    "sku": ("Text, at most 64 characters. Leading zeros are kept.", "文本，最多 64 个字符，保留前导零。"),
    "sku_name": ("Text, at most 255 characters.", "文本，最多 255 个字符。"),
    "quantity": ("Above zero, at most 3 decimals.", "大于零，最多 3 位小数。"),
    "unit": ("Text, at most 16 characters.", "文本，最多 16 个字符。"),
    "unit_price": ("Above zero, at most 4 decimals.", "大于零，最多 4 位小数。"),
    "remark": ("Text, at most 500 characters.", "文本，最多 500 个字符。"),
}


def write_template(language: Language) -> bytes:
    """Return the template as .xlsx; `*` stands behind the titles that must be filled in."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, WORKBOOK_OPTIONS) as book:
        book.set_properties(CREATED)
        bold = book.add_format({"bold": True, "num_format": "@"})
        _add_table(book, bold, language)
        _add_notes(book, bold, language)
    return content.getvalue()


def _add_table(book: xlsxwriter.Workbook, bold: object, language: Language) -> None:
    sheet = book.add_worksheet(_SHEETS[language][0])
    # Texts, so that a leading zero or the 18th digit survives typing, and a date stays as it was typed.
    as_text = book.add_format({"num_format": "@"})
    for place, name in enumerate(TITLES):
        sheet.set_column(place, place, _WIDTH, None if name in _AS_NUMBERS else as_text)
        sheet.write_string(0, place, _title(name, language), bold)
    sheet.freeze_panes(1, 0)


def _add_notes(book: xlsxwriter.Workbook, bold: object, language: Language) -> None:
    sheet = book.add_worksheet(_SHEETS[language][1])
    sheet.set_column(0, 0, _WIDTH)
    sheet.set_column(1, 1, 90)
    for row, name in enumerate(TITLES):
        sheet.write_string(row, 0, _title(name, language), bold)
        sheet.write_string(row, 1, _NOTES[name][language == "zh"])


def _title(name: str, language: Language) -> str:
    return field_title(name, language) + ("*" if name in REQUIRED else "")
