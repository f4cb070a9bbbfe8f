"""Builders of uploads: .xlsx by two writers and from bare XML, .csv in several encodings."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import xlsxwriter

TITLES = ("Order number", "Order time", "SKU", "Quantity", "Unit price")
GOOD_CELLS = ("A-1", "2010-12-01 08:26:00", "85123A", 6, 2.55)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def xlsx_by_openpyxl(*rows: Sequence[Any]) -> bytes:
    """Return a workbook of one sheet; texts that begin with `=` become formulas."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))  # type: ignore[union-attr]
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def save_orders(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Save orders of the same fields as a workbook with these fields as its titles; return its path."""
    path.write_bytes(xlsx_by_openpyxl(list(rows[0]), *(list(row.values()) for row in rows)))
    return path


def xlsx_by_xlsxwriter(*rows: Sequence[Any], **options: Any) -> bytes:
    """Return a workbook of one sheet; texts that begin with `=` become formulas."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, **options})
    sheet = book.add_worksheet()
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            if isinstance(cell, date):
                sheet.write_datetime(number, place, cell, moment if isinstance(cell, datetime) else day)
            elif cell is not None:
                sheet.write(number, place, cell)
    book.close()
    return content.getvalue()


def csv_bytes(*rows: Sequence[Any], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """Return the rows as a spreadsheet saves them."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def sheet_xml(rows: str) -> str:
    """Return a worksheet's XML around its `<row>` elements."""
    return f'<?xml version="1.0"?><worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def text_row(number: int, *cells: str) -> str:
    """Return a `<row>` of inline texts."""
    texts = "".join(f'<c t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>' for cell in cells)
    return f'<row r="{number}">{texts}</row>'


def workbook_parts(sheet: str | bytes, shared_strings: str | bytes | None = None) -> dict[str, str | bytes]:
    """Return the parts of a workbook of one sheet, to be changed and packed by `pack`."""
    types = f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
    root = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    relation = f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    sheets = '<sheets><sheet name="Orders" sheetId="1" r:id="rId1"/></sheets>'
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{root}</Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{sheets}</workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{relation}</Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
    }
    return parts if shared_strings is None else {**parts, "xl/sharedStrings.xml": shared_strings}


def shared_strings_xml(items: str, before: str = "") -> str:
    """Return the XML of a workbook's shared texts around its `<si>` elements."""
    return f'<?xml version="1.0"?>{before}<sst xmlns="{_MAIN}">{items}</sst>'


def pack(parts: dict[str, str | bytes]) -> bytes:
    """Return the zip package of the parts."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return content.getvalue()
