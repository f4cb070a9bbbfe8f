"""Writes .xlsx in constant memory, whatever the number of rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from gm_service.orders.exports.columns import CellType, ExportColumn
from gm_service.orders.exports.profiles import Profile
from gm_service.orders.exports.rows import Row
from gm_service.orders.exports.totals import Totals
from gm_service.yongyou import DEFAULTS, CodeMaps, YongyouSettings
from shared.errors import Language

# What a sheet of .xlsx holds, header included; a row beyond would be dropped without a word.
MAX_SHEET_ROWS = 1_048_576
_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
_NUMBER_FORMATS = {
    CellType.PRICE: "0.00##",
    CellType.EXACT_PRICE: "0.00########",
    CellType.AMOUNT: "0.00",
    CellType.DATE: "yyyy-mm-dd",
    CellType.DATETIME: "yyyy-mm-dd hh:mm:ss",
}


class XlsxWriter:
    """Writes .xlsx in constant memory; more rows than a sheet holds go on in another one."""

    def __init__(
        self,
        profile: Profile,
        file: IO[bytes],
        language: Language,
        scratch_dir: Path,
        *,
        max_sheet_rows: int = MAX_SHEET_ROWS,
        yongyou: YongyouSettings = DEFAULTS,
    ) -> None:
        self._profile = profile
        self._language = language
        self._max_sheet_rows = max_sheet_rows
        self._workbook = xlsxwriter.Workbook(
            file,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "tmpdir": str(scratch_dir),
            },
        )
        self._workbook.use_zip64()
        # The present moment would make each file differ from its twin.
        self._workbook.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001 the format has no zone
        self._bold = self._workbook.add_format({"bold": True})
        self._cells = [self._cell_writer(column, yongyou.code_maps) for column in profile.columns]
        self._totals = Totals(profile.columns, language)
        self._sheets = 0
        self._open_sheet()

    def write_order(self, rows: Sequence[Row]) -> None:
        """See RowWriter."""
        for row in rows:
            self._require_row()
            for place, write_cell in enumerate(self._cells):
                write_cell(self._next_row, place, row)
            self._next_row += 1
        self._totals.add(rows)

    def close(self) -> None:
        """See RowWriter."""
        if self._totals:
            self._write_totals()
        try:
            self._workbook.close()
        except FileCreateError as error:
            # The library wraps what the file system said, and with it the errno that tells a full disk.
            raise error.args[0] if error.args and isinstance(error.args[0], OSError) else error from error

    def _require_row(self) -> None:
        if self._next_row == self._max_sheet_rows:
            self._open_sheet()

    def _write_totals(self) -> None:
        self._require_row()
        style = self._workbook.add_format({"bold": True, "num_format": _NUMBER_FORMATS[CellType.AMOUNT]})
        for place, cell in enumerate(self._totals.cells()):
            if isinstance(cell, str):
                self._sheet.write_string(self._next_row, place, cell, self._bold)
            elif cell is not None:
                self._sheet.write_number(self._next_row, place, float(cell), style)

    def _open_sheet(self) -> None:
        self._sheets += 1
        name = self._profile.sheet(self._language)
        self._sheet = self._workbook.add_worksheet(name if self._sheets == 1 else f"{name} {self._sheets}")
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._profile.columns):
            self._sheet.set_column(place, place, column.width)
            self._sheet.write_string(0, place, column.title(self._language), self._bold)
        self._next_row = 1

    def _cell_writer(self, column: ExportColumn, code_maps: CodeMaps) -> Callable[[int, int, Row], None]:
        value_of, cell_type = column.reader(code_maps), column.type
        number_format = _NUMBER_FORMATS.get(cell_type)
        style = self._workbook.add_format({"num_format": number_format}) if number_format else None
        if cell_type is CellType.TEXT:
            return lambda row, place, detail: self._write_text(row, place, value_of(detail))
        if cell_type is CellType.LABEL:
            return lambda row, place, detail: self._write_text(row, place, value_of(detail).label(self._language))
        if cell_type in (CellType.DATE, CellType.DATETIME):
            return lambda row, place, detail: self._sheet.write_datetime(row, place, value_of(detail), style)
        return lambda row, place, detail: self._sheet.write_number(row, place, value_of(detail), style)

    def _write_text(self, row: int, place: int, text: str) -> None:
        if not text:
            return
        text = _NOT_XML.sub("�", text)
        if text.startswith("<r>") and text.endswith("</r>"):
            text += " "  # the library would take it for its own markup and write it unescaped
        self._sheet.write_string(row, place, text)
