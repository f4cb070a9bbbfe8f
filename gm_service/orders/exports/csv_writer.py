"""Writes .csv that spreadsheets open without calculating anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import IO

from gm_service.orders.exports.plain_values import text_reader
from gm_service.orders.exports.profiles import Profile
from gm_service.orders.exports.rows import Row
from gm_service.orders.exports.totals import Totals
from gm_service.orders.formulas import begins_like_formula
from gm_service.yongyou import DEFAULTS, YongyouSettings
from shared.errors import Language


class CsvWriter:
    """Writes every field quoted; what looks like a formula gets an apostrophe."""

    def __init__(
        self, profile: Profile, file: IO[bytes], language: Language, yongyou: YongyouSettings = DEFAULTS
    ) -> None:
        self._text = io.TextIOWrapper(file, encoding=profile.encoding, errors="replace", newline="")
        self._writer = csv.writer(self._text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        self._readers = [text_reader(column, yongyou.code_maps, language, defuse) for column in profile.columns]
        self._totals = Totals(profile.columns, language)
        self._writer.writerow([column.title(language) for column in profile.columns])

    def write_order(self, rows: Sequence[Row]) -> None:
        """See RowWriter."""
        readers = self._readers
        self._writer.writerows([read(row) for read in readers] for row in rows)
        self._totals.add(rows)

    def close(self) -> None:
        """See RowWriter."""
        if self._totals:
            self._writer.writerow([_to_text(cell) for cell in self._totals.cells()])
        self._text.flush()
        self._text.detach()


def defuse(text: str) -> str:
    """Return text that no spreadsheet calculates."""
    if text[:1].isalnum():  # most texts, and none of what a formula begins with
        return text
    return f"'{text}" if begins_like_formula(text) else text


def _to_text(cell: str | Decimal | None) -> str:
    return "" if cell is None else str(cell)
