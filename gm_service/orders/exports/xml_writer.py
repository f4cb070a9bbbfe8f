"""Writes .xml as U8's EAI takes it: one `ufinterface` with a document an order, streamed.

Element names follow sales orders that integrations with U8 send; docs/export-formats.md names what was found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from gm_service.orders.exports.columns import ExportColumn
from gm_service.orders.exports.plain_values import REMEMBERED_TEXTS, text_reader
from gm_service.orders.exports.profiles import Profile
from gm_service.orders.exports.rows import Row
from gm_service.yongyou import YongyouSettings

# XML 1.0, production 2: all else can't stand in a document, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARK = "\ufffd"


class XmlWriter:
    """Writes each order as a `header` and a `body` with an `entry` a line."""

    def __init__(self, profile: Profile, file: IO[bytes], yongyou: YongyouSettings) -> None:
        self._file = file
        self._encoding = profile.encoding
        self._tag = profile.sheet_en
        self._header = _element_writer([each for each in profile.columns if each.of_order], yongyou)
        self._entry = _element_writer([each for each in profile.columns if not each.of_order], yongyou)
        self._write(f'<?xml version="1.0" encoding="{profile.encoding}"?>\n{_root(profile, yongyou)}\n')

    def write_order(self, rows: Sequence[Row]) -> None:
        """See RowWriter; an order without lines has nothing that U8 would take."""
        if rows:
            entries = "".join([f"<entry>{self._entry(row)}</entry>\n" for row in rows])
            header = f"<header>{self._header(rows[0])}</header>\n"
            self._write(f"<{self._tag}>\n{header}<body>\n{entries}</body>\n</{self._tag}>\n")

    def close(self) -> None:
        """See RowWriter."""
        self._write("</ufinterface>\n")

    def _write(self, text: str) -> None:
        self._file.write(text.encode(self._encoding))


def to_xml_text(text: str) -> str:
    """Return text that an element may hold; characters that XML lacks are replaced by U+FFFD."""
    return escape(_NOT_XML.sub(_MARK, text), {"\r": "&#13;"})


def _root(profile: Profile, yongyou: YongyouSettings) -> str:
    attributes = {
        "sender": yongyou.sender,
        "receiver": "u8",
        "roottag": profile.sheet_en,
        "docid": "",
        "proc": "add",
        "codeexchanged": "N",
        "exportneedexch": "N",
        "display": profile.sheet_zh,
        "family": "销售管理",
    }
    return f"<ufinterface {' '.join(f'{name}={quoteattr(value)}' for name, value in attributes.items())}>"


def _element_writer(columns: Sequence[ExportColumn], yongyou: YongyouSettings) -> Callable[[Row], str]:
    """Return what says a row as elements: one template, filled in."""
    template = "".join(f"<{column.title_en}>%s</{column.title_en}>" for column in columns)
    clean = lru_cache(REMEMBERED_TEXTS)(to_xml_text)
    readers = [text_reader(column, yongyou.code_maps, "zh", clean) for column in columns]
    return lambda row: template % tuple([read(row) for read in readers])
