"""The marks that tie each row of a failed-rows file to its place in the import.

A mark ends in two letters made from its numbers: a spreadsheet that fills a column downwards counts `T7R17` on to
`T7R18`, and nobody would see it.
"""

from __future__ import annotations

import re
from zlib import crc32

_MARK = re.compile(r"T(?P<task>[0-9]{1,18})R(?P<index>[0-9]{1,9})-(?P<check>[A-Z]{2})")
_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


def make_mark(task_id: int, index: int) -> str:
    """Return the mark of a row, such as `T7R17-KD`; `index` counts from 0."""
    body = f"T{task_id}R{index}"
    first, second = divmod(crc32(body.encode()) % len(_LETTERS) ** 2, len(_LETTERS))
    return f"{body}-{_LETTERS[first]}{_LETTERS[second]}"


def find_place(text: str) -> tuple[int, int] | None:
    """Return the task id and the index that a mark names, None where it is no mark or was altered."""
    found = _MARK.fullmatch(text.strip())
    if not found:
        return None
    task_id, index = int(found["task"]), int(found["index"])
    return (task_id, index) if make_mark(task_id, index) == text.strip() else None
