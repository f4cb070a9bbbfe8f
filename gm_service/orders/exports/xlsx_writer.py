"""Writes .xlsx in constant memory, whatever the number of rows; docs/decisions/0006 says why no library does it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import IO

from gm_service.orders.exports.profiles import Profile
from gm_service.orders.exports.rows import Row
from gm_service.orders.exports.totals import Totals
from gm_service.orders.exports.xlsx_cells import FORMATS, RowRenderer
from gm_service.orders.exports.xlsx_package import Package, Sheet
from gm_service.yongyou import DEFAULTS, YongyouSettings
from shared.errors import Language

# What a sheet of .xlsx holds, header included; programs refuse a file with more.
MAX_SHEET_ROWS = 1_048_576
_SAMPLE_ROWS = 300


class XlsxWriter:
    """Writes .xlsx. The first rows wait until they tell how wide the columns should be."""

    def __init__(
        self,
        profile: Profile,
        file: IO[bytes],
        language: Language,
        *,
        max_sheet_rows: int = MAX_SHEET_ROWS,
        yongyou: YongyouSettings = DEFAULTS,
    ) -> None:
        self._renderer = RowRenderer(profile.columns, language, yongyou.code_maps)
        self._sheets = _Sheets(Package(file, FORMATS), profile.sheet(language), self._renderer.header(), max_sheet_rows)
        self._totals = Totals(profile.columns, language)
        self._sample: list[Sequence[Row]] = []
        self._sample_rows = 0

    def write_order(self, rows: Sequence[Row]) -> None:
        """See RowWriter."""
        self._totals.add(rows)
        if self._sheets.are_open:
            self._write(rows)
        elif rows:
            self._add_to_sample(rows)

    def close(self) -> None:
        """See RowWriter."""
        if not self._sheets.are_open:
            self._write_sample()
        if self._totals:
            self._sheets.require_room()
            self._sheets.write(self._renderer.totals(self._totals.cells(), self._sheets.next_row), 1)
        self._sheets.close()

    def _add_to_sample(self, rows: Sequence[Row]) -> None:
        self._sample.append(rows)
        self._sample_rows += len(rows)
        if self._sample_rows >= _SAMPLE_ROWS:
            self._write_sample()

    def _write_sample(self) -> None:
        self._sheets.open(self._renderer.fit_widths(list(chain.from_iterable(self._sample))))
        for order in self._sample:
            self._write(order)
        self._sample.clear()

    def _write(self, order: Sequence[Row]) -> None:
        """Write an order's rows, on several sheets where one can't take them."""
        while order:
            room = self._sheets.require_room()
            xml = "".join(self._renderer.iter_rows(order[:room], self._sheets.next_row))
            self._sheets.write(xml, rows=len(order[:room]))
            order = order[room:]


class _Sheets:
    """The sheets of a file, all with the same header; where one is full, the next begins."""

    def __init__(self, package: Package, name: str, header: str, max_rows: int) -> None:
        self._package = package
        self._name = name
        self._header = header
        self._max_rows = max_rows
        self._widths: Sequence[int] = ()
        self._count = 0
        self._sheet: Sheet | None = None
        self.next_row = 1
        """of the open sheet"""

    @property
    def are_open(self) -> bool:
        """Tell whether the widths are known, and rows can be written."""
        return self._sheet is not None

    def open(self, widths: Sequence[int]) -> None:
        """Begin the first sheet; the others get the same widths."""
        self._widths = widths
        self._open_next()

    def require_room(self) -> int:
        """Return how many rows the open sheet still takes; where that would be none, it is a new one."""
        assert self._sheet  # noqa: S101 the caller opened one
        if self.next_row > self._max_rows or self._sheet.is_full:
            self._sheet.close()
            self._open_next()
        return self._max_rows - self.next_row + 1

    def write(self, xml: str, rows: int) -> None:
        """Add so many rows to the open sheet; there must be room."""
        assert self._sheet  # noqa: S101
        self._sheet.write(xml)
        self.next_row += rows

    def close(self) -> None:
        """Complete the file."""
        assert self._sheet  # noqa: S101
        self._sheet.close()
        self._package.close()

    def _open_next(self) -> None:
        self._count += 1
        name = self._name if self._count == 1 else f"{self._name} {self._count}"
        self._sheet = self._package.open_sheet(name, self._widths)
        self._sheet.write(self._header)
        self.next_row = 2
