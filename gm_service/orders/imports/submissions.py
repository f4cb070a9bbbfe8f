"""What somebody submits, as rows for the ledger, whether it came as JSON or as a file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from gm_service.orders.imports.commands import CheckBatch
from gm_service.orders.imports.rows import SubmittedRow
from shared.errors import RuleRefused, TooLarge
from shared.web import strict_json


@dataclass(frozen=True, slots=True)
class Submission:
    """Rows with the file that they came in."""

    time_config_id: str
    file_name: str
    rows: tuple[SubmittedRow, ...]
    titles: tuple[str, ...] | None = None
    """the file's own columns; None where the rows came as JSON"""

    def sha256(self) -> str:
        """Return what tells this submission from any other."""
        content = [self.time_config_id, self.file_name, self.titles, [[row.order, row.cells] for row in self.rows]]
        return hashlib.sha256(strict_json.dumps(content).encode()).hexdigest()


def read_submission(command: CheckBatch, max_rows: int) -> Submission:
    """Return the submission of a request.

    Raises:
        RuleRefused, TooLarge: it can't be taken as a whole; single rows are looked at when they are attempted.
    """
    rows = tuple(SubmittedRow(order) for order in command.order_data or ())
    check_size(rows, max_rows)
    return Submission(command.time_config_id, command.file_name, rows)


def check_size(rows: Sequence[SubmittedRow], max_rows: int) -> None:
    """Refuse no rows, and more than `max_rows`.

    Raises:
        RuleRefused, TooLarge
    """
    if not rows:
        raise RuleRefused(problem="There are no rows to import.", problem_zh="没有任何可导入的行。")
    if len(rows) > max_rows:
        raise TooLarge(what="import", limit=f"{max_rows} rows")
