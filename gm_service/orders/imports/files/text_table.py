"""Reads a .csv as spreadsheets write it: its encoding and its delimiter are found out; numbers stay text."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Any

from gm_service.orders.imports.files.limits import BLANK_ROWS, FileLimits
from gm_service.orders.imports.files.refusals import FileRefused

_DELIMITERS = ",;\t"
# The first that fits; GB18030 is GBK and all the characters that GBK lacks.
_BY_MARK = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WITHOUT_MARK = ("utf-8", "gb18030")


def read_text_table(content: bytes, limits: FileLimits) -> tuple[list[tuple[int, list[Any]]], dict[str, Any]]:
    """Return the rows that have something in them with their numbers, and the encoding's name.

    Raises:
        FileRefused: it is no text, its quotation marks don't match, or it is too large.
    """
    text, encoding = _decode(content)
    delimiter = _find_delimiter(text)
    rows: list[tuple[int, list[Any]]] = []
    for number, fields in _records(text, delimiter, limits):
        if len(rows) > limits.max_rows or number > limits.max_rows + 1 + BLANK_ROWS:
            raise FileRefused("too_many_rows", limit=limits.max_rows)
        cells = [field or None for field in fields]
        if not any(cells):
            continue
        _check_width(number, cells, limits)
        rows.append((number, cells))
    return rows, {"encoding": encoding}


def _decode(content: bytes) -> tuple[str, str]:
    marked = tuple(encoding for mark, encoding in _BY_MARK if content.startswith(mark))
    for encoding in marked or _WITHOUT_MARK:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            raise FileRefused("not_text")
        return text, encoding
    raise FileRefused("not_text")


def _find_delimiter(text: str) -> str:
    """Return what separates the titles: the one that occurs most in the first line that has something in it."""
    line = next((line for line in io.StringIO(text) if line.strip(_DELIMITERS + " \r\n")), "")
    unquoted = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=unquoted.count)


def _records(text: str, delimiter: str, limits: FileLimits) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(limits.max_cell_characters)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, fields in enumerate(reader, start=1):
            yield number, fields
    except csv.Error as error:
        is_long = "field limit" in str(error)
        facts = {"row": number + 1, "limit": limits.max_cell_characters}
        raise FileRefused("field_too_long" if is_long else "bad_quotes", **facts) from error


def _check_width(number: int, cells: list[Any], limits: FileLimits) -> None:
    if any(cell is not None for cell in cells[limits.max_columns :]):
        raise FileRefused("too_many_columns", row=number, limit=limits.max_columns)
