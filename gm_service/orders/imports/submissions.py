"""What somebody submits or corrects, as rows for the ledger, whether it came as JSON or as a file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gm_service.orders.imports.amending import Corrections
from gm_service.orders.imports.commands import AmendBatch, CheckBatch
from gm_service.orders.imports.corrected_values import correct_values
from gm_service.orders.imports.files.columns import match_columns
from gm_service.orders.imports.files.failed_rows import read_row_marks
from gm_service.orders.imports.files.orders import to_orders
from gm_service.orders.imports.files.reading import FileLimits, read_sheet
from gm_service.orders.imports.ledger import Import
from gm_service.orders.imports.rows import SubmittedRow
from shared.errors import RuleRefused, TooLarge
from shared.web import strict_json
from shared.web.uploads import Upload


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What was made of a file."""

    kind: str
    """xlsx or csv"""
    encoding: str | None
    """of a .csv"""
    sheet_name: str | None
    other_sheets: tuple[str, ...]
    """that were not read"""
    ignored_columns: tuple[str, ...]
    """titles that mean nothing to an import"""


@dataclass(frozen=True, slots=True)
class Submission:
    """Rows with the file that they came in."""

    time_config_id: str
    file_name: str
    rows: tuple[SubmittedRow, ...]
    titles: tuple[str, ...] | None = None
    """the file's own columns; None where the rows came as JSON"""
    file: FileFacts | None = None

    def sha256(self) -> str:
        """Return what tells this submission from any other."""
        content = [self.time_config_id, self.file_name, self.titles, [[row.order, row.cells] for row in self.rows]]
        return hashlib.sha256(strict_json.dumps(content).encode()).hexdigest()


def read_submission(command: CheckBatch, limits: FileLimits, max_orders: int) -> Submission:
    """Return the submission of a request.

    Raises:
        RuleRefused, TooLarge: it can't be taken as a whole; single rows are looked at when they are attempted.
        InvalidField, InvalidPath: a correction has no place.
        Unavailable: too many files are being read at once.
    """
    if command.file is None:
        submission = Submission(
            command.time_config_id, command.file_name, tuple(SubmittedRow(order) for order in command.order_data or ())
        )
    else:
        submission = _read_file(command.file, command, limits)
    check_size(submission.rows, max_orders)
    if command.corrections:
        return replace(submission, rows=correct_values(submission.rows, command.corrections))
    return submission


def check_size(rows: Sequence[SubmittedRow], max_orders: int) -> None:
    """Refuse no rows, and more than `max_orders`.

    Raises:
        RuleRefused, TooLarge
    """
    if not rows:
        raise RuleRefused(problem="There are no rows to import.", problem_zh="没有任何可导入的行。")
    if len(rows) > max_orders:
        raise TooLarge(what="import", limit=f"{max_orders} rows")


def read_corrections(command: AmendBatch, batch: Import, task_id: int, limits: FileLimits) -> Corrections:
    """Return the corrected rows of a request, by index.

    Raises:
        RuleRefused, TooLarge: the file isn't that of this import's failed rows, or can't be read.
        Unavailable: too many files are being read at once.
    """
    if command.file is None:
        return {
            row.index: SubmittedRow(row.order) if "order" in row.model_fields_set else None
            for row in command.rows or ()
        }
    sheet = read_sheet(command.file.content, command.file.name, limits)
    return {
        index: SubmittedRow(order.order, order.first_row, _as_first_submitted(order.cells, sheet.titles, batch.titles))
        for index, order in read_row_marks(sheet, task_id)
    }


def _read_file(upload: Upload, command: CheckBatch, limits: FileLimits) -> Submission:
    sheet = read_sheet(upload.content, upload.name, limits)
    match = match_columns(sheet.titles)
    rows = tuple(SubmittedRow(each.order, each.first_row, each.cells) for each in to_orders(sheet, match))
    facts = FileFacts(sheet.kind, sheet.encoding, sheet.sheet_name, sheet.other_sheets, match.ignored)
    return Submission(command.time_config_id, command.file_name or upload.name, rows, sheet.titles, facts)


def _as_first_submitted(
    cells: list[list[Any]], titles: Sequence[str], first_titles: Sequence[str] | None
) -> list[list[Any]] | None:
    """Return a corrected file's cells in the columns of the file that was submitted first; None where was no file."""
    if first_titles is None:
        return None
    places = {title: place for place, title in reversed(list(enumerate(titles)))}
    wanted = [places.get(title) for title in first_titles]
    return [[None if place is None else row[place] for place in wanted] for row in cells]
