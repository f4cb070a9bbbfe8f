"""Writes .csv that spreadsheets open without calculating anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from operator import attrgetter
from typing import IO, Any

from gm_service.orders.exports.profiles import CellType, OrderDetail, Profile
from gm_service.orders.formulas import begins_like_formula
from shared.errors import Language


class CsvWriter:
    """Writes UTF-8 with a byte order mark, every field quoted; what looks like a formula gets an apostrophe."""

    def __init__(self, profile: Profile, file: IO[bytes], language: Language) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="", write_through=False)
        self._writer = csv.writer(self._text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        self._language = language
        self._columns = [(attrgetter(column.source), column.type) for column in profile.columns]
        self._writer.writerow([column.title(language) for column in profile.columns])

    def write_order(self, rows: Sequence[OrderDetail]) -> None:
        """See RowWriter."""
        for row in rows:
            self._writer.writerow([self._field(value_of(row), cell_type) for value_of, cell_type in self._columns])

    def close(self) -> None:
        """See RowWriter."""
        self._text.flush()
        self._text.detach()

    def _field(self, value: Any, cell_type: CellType) -> str:
        if cell_type is CellType.TEXT:
            text: str = value
            return f"'{text}" if begins_like_formula(text) else text
        if cell_type is CellType.LABEL:
            return str(value.label(self._language))
        if cell_type is CellType.NUMBER:
            return f"{value.normalize():f}"
        return f"{value:%Y-%m-%d %H:%M:%S}" if cell_type is CellType.DATETIME else str(value)
