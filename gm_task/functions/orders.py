"""Exports and imports of orders: the work is gm_service's, by its export script and its no-login endpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import structlog

from gm_task.context import TaskContext
from gm_task.registry import task_function
from shared.errors import Language, PlatformError, StaleRun, Unavailable
from shared.retry import Patience, call_patiently
from shared.task_api.models import Outcome, TaskStatus
from shared.task_api.reasons import ReasonCode, sentence
from shared.task_api.run import RunFailed

log = structlog.get_logger(__name__)
CHUNK_ROWS = 100
CREATE_PATH = "/no_login/station/order/batch/create"


@task_function(acks_late=True)
def export_orders(context: TaskContext) -> Any:
    """Run the export script that the input names; the result is the script's."""
    name = context.input.get("export") if isinstance(context.input, dict) else None
    return context.run_script(str(name), context.settings.files_dir / "export")


@task_function(acks_late=True)
def import_orders(context: TaskContext) -> Outcome:
    """Create the orders of a batch in chunks; the other side keys each row by task and index, so a chunk may repeat.

    A stop is seen between chunks, and what was created stays.
    """
    batch = _read_batch(context)
    for start in range(0, batch.total, CHUNK_ROWS):
        if context.cancelled():
            return batch.closed()
        try:
            batch.rows += _create(context, batch, start)
        except StaleRun:
            raise
        except PlatformError as error:
            if context.cancelled():
                return batch.closed()
            log.error("import_stopped", start=start, problem=str(error))
            code = "service_unavailable" if isinstance(error, Unavailable) else "service_refused"
            return batch.stopped(code, error.sentence(batch.language))
        context.progress(len(batch.rows), batch.total)
    return batch.done()


@dataclass
class _Batch:
    """An import on its way: the orders given, and the state of each row that was answered."""

    time_config_id: str
    file_name: str
    orders: list[Any]
    language: Language
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.orders)

    @property
    def failed(self) -> int:
        return sum(row["state"] == "failed" for row in self.rows)

    def done(self) -> Outcome:
        """Return the end that follows from the rows."""
        if not self.failed:
            return Outcome(TaskStatus.FINISHED, self.result())
        status = TaskStatus.FAILED if self.failed == self.total else TaskStatus.PARTLY_SUCCEEDED
        zh = f"共 {self.total:,} 行，{self.failed:,} 行失败。"
        en = f"{self.failed:,} of {self.total:,} rows failed."
        return Outcome(status, self.result(), zh if self.language == "zh" else en, "rows_failed")

    def closed(self) -> Outcome:
        """Return the end of an import that somebody stopped."""
        return self.stopped(ReasonCode.CLOSED, sentence(ReasonCode.CLOSED, self.language))

    def stopped(self, code: str, reason: str) -> Outcome:
        """Return an end before the last row."""
        return Outcome(TaskStatus.FAILED, self.result(), reason, code)

    def result(self) -> dict[str, Any]:
        waiting = [{"index": index, "state": "waiting"} for index in range(len(self.rows), self.total)]
        return {
            "file_name": self.file_name,
            "total": self.total,
            "created": len(self.rows) - self.failed,
            "failed": self.failed,
            "not_attempted": len(waiting),
            "rows": [*self.rows, *waiting],
        }


def _read_batch(context: TaskContext) -> _Batch:
    language = context.settings.language
    match context.input:
        case {"order_data": list(orders), "time_config_id": time_config_id, **given}:
            return _Batch(str(time_config_id), str(given.get("file_name") or ""), orders, language)
    raise RunFailed("批量数据不完整。" if language == "zh" else "The task's input is no batch of orders.", "bad_input")


def _create(context: TaskContext, batch: _Batch, start: int) -> list[dict[str, Any]]:
    """Have one chunk created, trying again while the service is away; return the rows in order of index."""
    chunk = batch.orders[start : start + CHUNK_ROWS]
    body = {
        "task_id": context.task_id,
        "run_count": context.run_count,
        "station_id": context.station_id,
        "time_config_id": batch.time_config_id,
        "file_name": batch.file_name,
        "total": batch.total,
        "rows": [{"index": start + place, "order": order} for place, order in enumerate(chunk)],
    }
    answer = call_patiently(
        lambda: context.order_service.call("POST", CREATE_PATH, body),
        Patience(context.settings.report_seconds),
        event="create_orders",
        given_up=context.cancelled,
    )
    rows: list[dict[str, Any]] = sorted(answer["rows"], key=lambda row: row["index"])
    if [row["index"] for row in rows] != list(range(start, start + len(chunk))):
        # An answer about other rows would put a wrong state beside an order.
        raise PlatformError(error_id=context.request_id or context.task_id)
    return rows
