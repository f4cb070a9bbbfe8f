"""Turns rows into a file of one kind; the same rows always give the same bytes.

A new kind offers `RowWriter` and an entry in `open_writer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Protocol

from gm_service.orders.exports.csv_writer import CsvWriter
from gm_service.orders.exports.profiles import OrderDetail, Profile
from gm_service.orders.exports.xlsx_writer import XlsxWriter
from shared.errors import Language


class RowWriter(Protocol):
    """Writes one file; the header is written when it is opened."""

    def write_order(self, rows: Sequence[OrderDetail]) -> None:
        """Add an order: all its lines, in their order. Called once an order; an order may have no line.

        Raises:
            OSError: the disk is full, or the folder can't be written to.
        """
        ...

    def close(self) -> None:
        """Complete the file; the stream it was opened on stays open.

        Raises:
            OSError: as `write_order`.
        """
        ...


def open_writer(profile: Profile, file: IO[bytes], language: Language) -> RowWriter:
    """Return the writer of the profile's kind onto `file`, which must be able to seek."""
    if profile.kind == "csv":
        return CsvWriter(profile, file, language)
    return XlsxWriter(profile, file, language)
