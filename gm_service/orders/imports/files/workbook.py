"""Reads the first visible sheet of a .xlsx workbook that has data; runs in the reading child only."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import python_calamine

from gm_service.orders.imports.files.limits import EXACT_BELOW, FileLimits
from gm_service.orders.imports.files.package import Package, repack
from gm_service.orders.imports.files.refusals import FileRefused
from gm_service.orders.imports.files.sheet_scan import SheetScan, cell_name
from gm_service.orders.imports.files.xml_parts import RELATIONS, WORKBOOK, SheetPart, list_visible_sheets

_OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_ZIP_MAGIC = b"PK"
_SHARED_PARTS = (WORKBOOK, RELATIONS, "xl/sharedStrings.xml", "xl/styles.xml")
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
# Where the workbook is, written by us: what the upload says of it is not asked.
_ROOT_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}" Target="{WORKBOOK}"/></Relationships>'
).encode()
_LOST_CHARACTER = "\ufffd"
"""in place of NUL, which a text may hold as `_x0000_` and no database stores; a row with it is refused"""

Row = tuple[int, list[Any]]
"""number as the spreadsheet shows it, and the cells"""


def looks_like_workbook(content: bytes) -> bool:
    """Tell by its first bytes whether a file is a workbook of any kind, also of one that is refused."""
    return content.startswith((_ZIP_MAGIC, _OLE_MAGIC))


def read_workbook(content: bytes, limits: FileLimits) -> tuple[list[Row], dict[str, Any]]:
    """Return the rows that have something in them, and the name of their sheet and of the other visible ones.

    Raises:
        FileRefused: it is no workbook that is taken.
    """
    _refuse_old(content)
    package = Package(content)
    _refuse_kinds(package)
    sheets = list_visible_sheets(package)
    chosen, xml, scan = _choose(package, sheets, limits)
    parts = {name: package.read(name) for name in _SHARED_PARTS if name in package}
    rows = _load({"_rels/.rels": _ROOT_RELATIONS, **parts, chosen.part: xml}, chosen.name)
    facts = {"sheet_name": chosen.name, "other_sheets": [sheet.name for sheet in sheets if sheet != chosen]}
    return list(_filled_rows(rows, scan, limits)), facts


def _refuse_old(content: bytes) -> None:
    """Refuse OLE files: what .xls was, and what an encrypted .xlsx is wrapped into."""
    if content.startswith(_OLE_MAGIC):
        raise FileRefused("encrypted" if "EncryptedPackage".encode("utf-16-le") in content else "old_xls")


def _refuse_kinds(package: Package) -> None:
    if any(name.endswith("vbaproject.bin") for name in package.names()):
        raise FileRefused("macros")
    if "xl/workbook.bin" in package:
        raise FileRefused("binary_workbook")
    if WORKBOOK not in package or RELATIONS not in package:
        raise FileRefused("not_a_workbook")
    if "[Content_Types].xml" in package and b"macroEnabled" in package.read("[Content_Types].xml"):
        raise FileRefused("macros")


def _choose(package: Package, sheets: list[SheetPart], limits: FileLimits) -> tuple[SheetPart, bytes, SheetScan]:
    for sheet in sheets:
        xml, scan = package.read(sheet.part), SheetScan(limits)
        scan.run(xml, sheet.part)
        if scan.has_data:
            return sheet, xml, scan
    raise FileRefused("no_visible_sheet")


def _load(parts: dict[str, bytes], sheet_name: str) -> Iterator[list[Any]]:
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(repack(parts)))
        return workbook.get_sheet_by_name(sheet_name).iter_rows()
    except python_calamine.CalamineError as error:
        raise FileRefused("damaged", detail=sheet_name[:31]) from error


def _filled_rows(rows: Iterator[list[Any]], scan: SheetScan, limits: FileLimits) -> Iterator[Row]:
    overlay = _overlay_of(scan)
    for number, row in enumerate(rows, start=1):
        cells = [_to_json(value) for value in row]
        for column, text in overlay.pop(number, {}).items():
            cells.extend([None] * (column - len(cells)))
            cells[column - 1] = text
        if any(cell is not None for cell in cells):
            _check_lengths(number, cells, limits)
            yield number, cells
    for number, texts in sorted(overlay.items()):  # below the last value there may be formulas that have none
        yield number, [texts.get(column) for column in range(1, max(texts) + 1)]


def _overlay_of(scan: SheetScan) -> dict[int, dict[int, str]]:
    """Return what stands in place of values, by row and column: a formula is shown as itself, never as its value."""
    overlay: dict[int, dict[int, str]] = {}
    for (row, column), text in scan.errors.items():
        overlay.setdefault(row, {})[column] = text
    for (row, column), formula in scan.formulas.items():
        overlay.setdefault(row, {})[column] = f"={formula}"
    return overlay


def _to_json(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", _LOST_CHARACTER) or None
    if isinstance(value, float):
        return _plain_number(value)
    if isinstance(value, datetime):
        return _moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time | timedelta):
        return str(value)
    return value


def _plain_number(value: float) -> int | float | str:
    if not math.isfinite(value):
        return "#NUM!"  # no spreadsheet writes it, but a file may say 1e999
    return int(value) if value.is_integer() and abs(value) < EXACT_BELOW else value


def _moment_text(moment: datetime) -> str:
    """Return a moment to the second; a serial number of days is off by less than a millisecond."""
    rounded = (moment + timedelta(milliseconds=500)).replace(microsecond=0)
    return f"{rounded:%Y-%m-%d}" if rounded.time() == time() else f"{rounded:%Y-%m-%d %H:%M:%S}"


def _check_lengths(number: int, cells: list[Any], limits: FileLimits) -> None:
    for column, cell in enumerate(cells, start=1):
        if isinstance(cell, str) and len(cell) > limits.max_cell_characters:
            raise FileRefused("cell_too_long", cell=cell_name(number, column), limit=limits.max_cell_characters)
