"""Writes .xlsx in constant memory, whatever the number of rows; docs/decisions/0006 says why no library does it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import IO

from gm_service.orders.exports.profiles import OrderDetail, Profile
from gm_service.orders.exports.xlsx_cells import NUMBER_FORMATS, RowRenderer
from gm_service.orders.exports.xlsx_package import Package, Sheet
from gm_service.orders.exports.xlsx_widths import fit_widths
from shared.errors import Language

# What a sheet of .xlsx holds, header included; programs refuse a file with more.
MAX_SHEET_ROWS = 1_048_576
_SAMPLE_ROWS = 300


class XlsxWriter:
    """Writes .xlsx. The first rows wait until they tell how wide the columns should be."""

    def __init__(
        self, profile: Profile, file: IO[bytes], language: Language, max_sheet_rows: int = MAX_SHEET_ROWS
    ) -> None:
        self._columns = profile.columns
        self._language = language
        self._sheets = _Sheets(profile, file, language, max_sheet_rows)
        self._sample: list[Sequence[OrderDetail]] = []
        self._sample_rows = 0

    def write_order(self, rows: Sequence[OrderDetail]) -> None:
        """See RowWriter."""
        if self._sheets.are_open:
            self._sheets.write(rows)
            return
        self._sample.append(rows)
        self._sample_rows += len(rows)
        if self._sample_rows >= _SAMPLE_ROWS:
            self._write_sample()

    def close(self) -> None:
        """See RowWriter."""
        if not self._sheets.are_open:
            self._write_sample()
        self._sheets.close()

    def _write_sample(self) -> None:
        rows = chain.from_iterable(self._sample)
        self._sheets.open(fit_widths(self._columns, self._language, rows))
        for order in self._sample:
            self._sheets.write(order)
        self._sample.clear()


class _Sheets:
    """The sheets of a file; where one is full, the next begins."""

    def __init__(self, profile: Profile, file: IO[bytes], language: Language, max_rows: int) -> None:
        self._name = profile.sheet(language)
        self._max_rows = max_rows
        self._package = Package(file, list(NUMBER_FORMATS.values()))
        self._renderer = RowRenderer(profile.columns, language)
        self._widths: Sequence[int] = ()
        self._count = 0
        self._sheet: Sheet | None = None
        self._rows = 0
        """in the open sheet, header included"""

    @property
    def are_open(self) -> bool:
        """Tell whether the widths are known, and rows can be written."""
        return self._sheet is not None

    def open(self, widths: Sequence[int]) -> None:
        """Begin the first sheet; the others get the same widths."""
        self._widths = widths
        self._open_sheet()

    def write(self, order: Sequence[OrderDetail]) -> None:
        """Add an order's rows, on several sheets where one can't take them."""
        while order:
            sheet = self._sheet_with_room()
            some, order = order[: self._max_rows - self._rows], order[self._max_rows - self._rows :]
            sheet.write("".join(self._renderer.iter_rows(some, self._rows + 1)))
            self._rows += len(some)

    def close(self) -> None:
        """Complete the file."""
        if self._sheet:
            self._sheet.close()
        self._package.close()

    def _sheet_with_room(self) -> Sheet:
        if self._sheet is None or self._rows == self._max_rows or self._sheet.is_full:
            return self._open_sheet()
        return self._sheet

    def _open_sheet(self) -> Sheet:
        if self._sheet:
            self._sheet.close()
        self._count += 1
        self._sheet = self._package.open_sheet(
            self._name if self._count == 1 else f"{self._name} {self._count}", self._widths
        )
        self._sheet.write(self._renderer.header())
        self._rows = 1
        return self._sheet
