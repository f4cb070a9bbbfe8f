"""What an import's rows say of its task: status, reason and result. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from gm_service.orders.imports.ledger import Counts
from gm_service.orders.imports.rows import RowOutcome
from shared.errors import Language
from shared.task_api.models import TaskStatus
from shared.web import strict_json

MAX_REASON_BYTES = 4_000_000
"""as JSON, of all rows of a result together: 20,000 rows that fail at length would be more than a task may hold"""


@dataclass(frozen=True, slots=True)
class End:
    """How an import ends."""

    status: TaskStatus
    reason_code: str | None = None

    def reason(self, counts: Counts, language: Language) -> str | None:
        """Return why, in one sentence; None where every row was created."""
        if self.reason_code is None:
            return None
        en, zh = _SENTENCES[self.reason_code]
        facts = {name: f"{value:,}" for name, value in counts.to_json().items()}
        return (zh if language == "zh" else en).format(**facts)


_SENTENCES: dict[str, tuple[str, str]] = {
    "rows_failed": ("{failed} of {total} rows failed.", "共 {total} 行，{failed} 行失败。"),
    "rows_open": (
        "{failed} of {total} rows failed, {not_attempted} were not attempted.",
        "共 {total} 行，{failed} 行失败，{not_attempted} 行未执行。",
    ),
}


def end_of(counts: Counts) -> End:
    """Derive the end from the rows: all created is 3, some 4, none 5."""
    if counts.created == counts.total:
        return End(TaskStatus.FINISHED)
    status = TaskStatus.PARTLY_SUCCEEDED if counts.created else TaskStatus.FAILED
    return End(status, "rows_open" if counts.waiting else "rows_failed")


def facts_of(file_name: str, counts: Counts, version: int) -> dict[str, Any]:
    """Return the result without its rows; `ledger_version` tells how new it is."""
    return {"file_name": file_name, **counts.to_json(), "ledger_version": version}


def result_of(file_name: str, counts: Counts, version: int, outcomes: Iterable[RowOutcome]) -> dict[str, Any]:
    """Return the whole result: the row of index n stands at `$.rows[n]`."""
    return {**facts_of(file_name, counts, version), "rows": list(_shown(outcomes))}


def changes_of(file_name: str, counts: Counts, version: int, outcomes: Iterable[RowOutcome]) -> list[tuple[str, Any]]:
    """Return the places of a result that a few changed rows change, with their new values."""
    rows = [(f"$.rows[{row['index']}]", row) for row in _shown(outcomes)]
    return [*rows, *((f"$.{name}", value) for name, value in facts_of(file_name, counts, version).items())]


def _shown(outcomes: Iterable[RowOutcome]) -> Iterator[dict[str, Any]]:
    """Yield the rows; those behind the limit keep their code, and tell the rest in the ledger alone."""
    written = 0
    for outcome in outcomes:
        if outcome.code is not None:
            said = (outcome.column, outcome.value, outcome.reason, outcome.reason_zh)
            written += len(strict_json.dumps(said).encode())
        is_short = written > MAX_REASON_BYTES
        yield (
            replace(outcome, column=None, value=None, reason=None, reason_zh=None) if is_short else outcome
        ).to_json()
