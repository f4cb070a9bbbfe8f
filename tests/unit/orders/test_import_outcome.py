"""What an import's rows say of its task: the result that it carries stays small enough to be stored."""

from __future__ import annotations

from gm_async_task.config import AsyncTaskSettings
from gm_service.orders.imports.attempting import failure
from gm_service.orders.imports.ledger import Counts
from gm_service.orders.imports.outcome import result_of
from gm_service.orders.imports.row_reasons import row_error
from shared.web import strict_json

MOST_ROWS = 20_000


def test_result_of_rows_that_all_fail_at_length_can_be_stored() -> None:
    error = row_error("unknown_column", "饕" * 64, '"' * 80)
    outcomes = [failure(index, error, sheet_row=index + 2) for index in range(MOST_ROWS)]

    result = result_of("饕" * 255, Counts(MOST_ROWS, 0, MOST_ROWS), 1, outcomes)

    max_bytes = AsyncTaskSettings.model_fields["max_result_bytes"].default
    assert len(strict_json.dumps(result).encode()) < 0.9 * max_bytes, "there is room for the rest of the request"
    first, last = result["rows"][0], result["rows"][-1]
    assert (first["reason"], first["column"], last["code"]) == (error.en, error.column, "unknown_column")
    assert not {"column", "value", "reason", "reason_zh"} & last.keys()
