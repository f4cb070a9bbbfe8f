"""Writes .txt as U8's and T3's ledger tool takes vouchers (总账工具, 凭证引入): commas between fields, no quoting."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import IO

from gm_service.orders.exports.csv_writer import defuse
from gm_service.orders.exports.plain_values import REMEMBERED_TEXTS, text_reader
from gm_service.orders.exports.profiles import Profile
from gm_service.orders.exports.rows import Row
from gm_service.yongyou import YongyouSettings

# The format has no quotes, so what separates or quotes elsewhere becomes its full-width twin.
_TWINS = str.maketrans({",": "，", '"': "＂"})
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]+")
_MARK = "〓"
"""U+3013, printers' sign for a character that is lacking; GBK has it"""
_DOTS = "…"
MAX_TEXT_BYTES = 60
"""what the tool takes of a summary, the longest of its texts"""


class VoucherWriter:
    """Writes a line an entry below the profile's first line."""

    def __init__(self, profile: Profile, file: IO[bytes], yongyou: YongyouSettings) -> None:
        self._file = file
        self._encoding = profile.encoding
        clean = lru_cache(REMEMBERED_TEXTS)(self._clean)
        self._readers = [text_reader(each, yongyou.code_maps, "zh", clean) for each in profile.columns]
        self._write_lines([profile.first_line])

    def write_order(self, rows: Sequence[Row]) -> None:
        """See RowWriter."""
        readers = self._readers
        self._write_lines([",".join([read(row) for read in readers]) for row in rows])

    def close(self) -> None:
        """See RowWriter; the file has no end mark."""

    def _write_lines(self, lines: list[str]) -> None:
        self._file.write("".join([f"{line}\r\n" for line in lines]).encode(self._encoding))

    def _clean(self, text: str) -> str:
        """Return the text as the file can hold it: on one line, without separators, in its characters, not too long."""
        one_line = defuse(_CONTROLS.sub(" ", text).translate(_TWINS))
        encoded = self._encode(one_line)
        if encoded is None:
            one_line = "".join([_MARK if self._encode(each) is None else each for each in one_line])
            encoded = one_line.encode(self._encoding)
        return one_line if len(encoded) <= MAX_TEXT_BYTES else self._cut(encoded)

    def _encode(self, text: str) -> bytes | None:
        """Return the text's bytes, None where it has a character that the encoding lacks."""
        try:
            return text.encode(self._encoding)
        except UnicodeEncodeError:
            return None

    def _cut(self, encoded: bytes) -> str:
        """Return the beginning of a text, with dots that say so."""
        kept = encoded[: MAX_TEXT_BYTES - len(_DOTS.encode(self._encoding))]
        return kept.decode(self._encoding, errors="ignore") + _DOTS
