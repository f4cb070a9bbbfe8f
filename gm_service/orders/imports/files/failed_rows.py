"""Writes the rows of an import that are still open as a file to correct, and reads the corrected file back.

The file is the clerk's own: titles and cells as they were, then a mark on each row, and last the reason.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import xlsxwriter

from gm_service.orders.imports.files.columns import LINE, MARKS_TITLES, is_title_of, match_columns
from gm_service.orders.imports.files.failed_table import FailedTable
from gm_service.orders.imports.files.marks import find_place, make_mark
from gm_service.orders.imports.files.orders import FileOrder, filled_rows, is_blank, to_order
from gm_service.orders.imports.files.reading import Sheet, SheetRow
from gm_service.orders.imports.files.text_cells import CREATED, WORKBOOK_OPTIONS
from shared.errors import Language, RuleRefused


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A row of the import that became no order."""

    index: int
    """place in the submission, from 0"""
    first_row: int | None
    """where it stood in the uploaded file; None for a submission in JSON"""
    cells: list[list[Any]]
    """as they were read: a list for each of its rows in the file, each as long as the titles"""
    reason: str
    """in the reader's language; of a row that was not attempted, that it was not"""
    column: str | None = None
    """what the reason is about, such as quantity or lines[2].quantity"""


def write_open_rows(
    titles: Sequence[str],
    fields: Sequence[str | None],
    rows: Iterable[OpenRow],
    task_id: int,
    language: Language,
) -> bytes:
    """Return a .xlsx of the rows: faulty cells marked by colour, texts as texts, the title line frozen."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, WORKBOOK_OPTIONS) as book:
        book.set_properties(CREATED)
        table = FailedTable(book, titles, fields, language)
        for row in rows:
            table.write_order(row.cells, make_mark(task_id, row.index), row.reason, row.column)
        table.finish()
    return content.getvalue()


def read_row_marks(sheet: Sheet, task_id: int) -> list[tuple[int, FileOrder]]:
    """Return the orders of a corrected file, each with its place in the import; rows may stand in any order.

    Raises:
        RuleRefused: the marks are missing, altered, doubled or another import's, or columns are missing.
    """
    place = next((place for place, title in enumerate(sheet.titles) if is_title_of(title, MARKS_TITLES)), None)
    if place is None:
        raise _refusal("no_marks", title_en=MARKS_TITLES[0], title_zh=MARKS_TITLES[1])
    match = match_columns(sheet.titles)
    orders: dict[int, FileOrder] = {}
    for index, group in groupby(filled_rows(sheet, match), lambda row: _index_of(row, place, task_id)):
        rows = list(group)
        second = rows[1] if len(rows) > 1 and LINE not in match.fields else None
        doubled = rows[0] if index in orders else second
        if doubled is not None:
            raise _refusal("doubled", row=doubled.number, mark=make_mark(task_id, index))
        orders[index] = to_order(rows, sheet, match)
    return list(orders.items())


def _index_of(row: SheetRow, place: int, task_id: int) -> int:
    cell = row.cells[place]
    if is_blank(cell):
        raise _refusal("unmarked", row=row.number)
    found = find_place(str(cell))
    if found is None:
        raise _refusal("altered", row=row.number, mark=str(cell)[:40])
    if found[0] != task_id:
        raise _refusal("other_import", row=row.number, mark=str(cell), other=found[0], task_id=task_id)
    return found[1]


_SENTENCES = {
    "no_marks": (
        "The file has no column “{title_en}”; download the failed rows, correct that file and upload it.",
        "文件缺少“{title_zh}”列，请先下载失败行文件，在其中修改后再上传。",
    ),
    "unmarked": (
        "Row {row} has no mark, so nobody can tell which row of the import it corrects; new orders go into a new"
        " import.",
        "第 {row} 行没有标记，无法判断对应导入中的哪一行；新订单请另行导入。",
    ),
    "altered": (
        "The mark “{mark}” in row {row} was altered; put it back or download the failed rows again.",
        "第 {row} 行的标记“{mark}”已被改动，请恢复或重新下载失败行文件。",
    ),
    "doubled": (
        "The mark {mark} in row {row} stands on another row too; each row of the import can be corrected once only.",
        "第 {row} 行的标记 {mark} 在其他行也出现，导入的每一行只能修改一次。",
    ),
    "other_import": (
        "Row {row} belongs to import {other}, not to import {task_id} (its mark is {mark}).",
        "第 {row} 行属于导入 {other}，不属于导入 {task_id}（标记为 {mark}）。",
    ),
}


def _refusal(code: str, **facts: object) -> RuleRefused:
    en, zh = _SENTENCES[code]
    return RuleRefused(problem=en.format(**facts), problem_zh=zh.format(**facts))
