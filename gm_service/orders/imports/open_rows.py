"""Makes the file of an import's open rows, failed or not attempted: the clerk's own columns, mark, and reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from gm_service.orders.imports.files.columns import TITLES, field_title, match_columns
from gm_service.orders.imports.files.failed_rows import OpenRow, write_open_rows
from gm_service.orders.imports.files.orders import cells_of_order
from gm_service.orders.imports.ledger import Import
from gm_service.orders.imports.reader import ShownRow
from shared.errors import Language

_NOT_ATTEMPTED: dict[Language, str] = {
    "en": "not attempted: the import ended before this row",
    "zh": "未执行：导入在此行之前已结束",
}
_FILE_NAME: dict[Language, str] = {"en": "{stem} - rows to correct.xlsx", "zh": "{stem}-待修改行.xlsx"}


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file for a person to download."""

    name: str
    content: bytes


def make_open_rows(batch: Import, task_id: int, rows: Sequence[ShownRow], language: Language) -> MadeFile:
    """Return the file; it is uploaded again by /station/order/batch/amend."""
    if batch.titles is None:
        fields: tuple[str | None, ...] = tuple(TITLES)
        titles = tuple(field_title(field, language) for field in TITLES)
    else:
        titles, fields = batch.titles, match_columns(batch.titles).fields
    open_rows = (
        OpenRow(
            row.index,
            row.sheet_row,
            cells_of_order(row.order, fields) if row.cells is None else row.cells,
            row.reason or _NOT_ATTEMPTED[language],
            row.column,
        )
        for row in rows
    )
    content = write_open_rows(titles, fields, open_rows, task_id, language)
    stem = PurePath(batch.file_name).stem or str(task_id)
    return MadeFile(_FILE_NAME[language].format(stem=stem), content)
