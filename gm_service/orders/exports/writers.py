"""Turns orders into a file of one kind; the same orders always give the same bytes.

A new kind offers `RowWriter` and an entry in `_open_kind`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import IO, Protocol

from gm_service.orders.exports.csv_writer import CsvWriter
from gm_service.orders.exports.profiles import Balance, Profile
from gm_service.orders.exports.rows import OrderDetail, Row
from gm_service.orders.exports.taxed_lines import to_taxed_lines
from gm_service.orders.exports.voucher_writer import VoucherWriter
from gm_service.orders.exports.vouchers import VoucherBook
from gm_service.orders.exports.xlsx_writer import XlsxWriter
from gm_service.orders.exports.xml_writer import XmlWriter
from gm_service.yongyou import DEFAULTS, YongyouSettings
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


class _KindWriter(Protocol):
    """A RowWriter of rows that are ready for the profile's columns."""

    def write_order(self, rows: Sequence[Row]) -> None: ...

    def close(self) -> None: ...


def open_writer(
    profile: Profile, file: IO[bytes], language: Language, yongyou: YongyouSettings = DEFAULTS
) -> RowWriter:
    """Return the writer of the profile's kind onto `file`, which must be able to seek."""
    writer = _open_kind(profile, file, language, yongyou)
    if profile.balance is Balance.TAX:
        return _Balancing(writer, partial(to_taxed_lines, settings=yongyou))
    if profile.balance is Balance.DOUBLE_ENTRY:
        return _Balancing(writer, VoucherBook(yongyou).enter)
    return writer


class _Balancing:
    """Makes an order's rows balance before they are written."""

    def __init__(self, writer: _KindWriter, balance: Callable[[Sequence[OrderDetail]], Sequence[Row]]) -> None:
        self._writer = writer
        self._balance = balance
        self.close = writer.close

    def write_order(self, rows: Sequence[OrderDetail]) -> None:
        """See RowWriter."""
        self._writer.write_order(self._balance(rows))


def _open_kind(profile: Profile, file: IO[bytes], language: Language, yongyou: YongyouSettings) -> _KindWriter:
    match profile.kind:
        case "xlsx":
            return XlsxWriter(profile, file, language, yongyou=yongyou)
        case "csv":
            return CsvWriter(profile, file, language, yongyou)
        case "xml":
            return XmlWriter(profile, file, yongyou)
        case "txt":
            return VoucherWriter(profile, file, yongyou)
