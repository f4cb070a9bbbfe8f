"""Exports and imports of orders: the work is gm_service's, by its export script and its no-login endpoint."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import structlog

from gm_task.context import TaskContext
from gm_task.registry import task_function
from shared.errors import Language, PlatformError, StaleRun, Unavailable
from shared.files.names import EXPORT_DIR, is_in
from shared.retry import Patience, call_patiently
from shared.task_api.models import Outcome, TaskStatus
from shared.task_api.reasons import ReasonCode, sentence
from shared.task_api.run import RunFailed

log = structlog.get_logger(__name__)
ENDPOINT = "/no_login/station/order/batch/"
FIRST_ROWS, MOST_ROWS = 50, 500
"""asked for at first, and at most, in one call"""
CALL_SECONDS = 0.5
"""what one call should take: a stop is seen between two of them"""
Counts = dict[str, Any]


@task_function(acks_late=True)
def export_orders(context: TaskContext) -> Any:
    """Run the export script that the input names and keep its file; the result is the script's."""
    name = context.input.get("export") if isinstance(context.input, dict) else None
    result = context.run_script(str(name), context.settings.files_dir / EXPORT_DIR)
    file = result.get("file") if isinstance(result, dict) else None
    if isinstance(file, str) and is_in(EXPORT_DIR, file):
        context.keep_file(file, str(result.get("sha256", "")))
    return result


@task_function(acks_late=True)
def import_orders(context: TaskContext) -> Outcome:
    """Have the rows of an import attempted until none waits; the other side keeps them, and what became of each.

    A stop is seen between two calls, and what was created stays. A run that follows a lost one goes on behind it.
    """
    language = context.settings.language
    try:
        service = _OrderService(context, _find_import(context))
        while not context.cancelled():
            if not service.attempt_rows()["not_attempted"]:
                return service.outcome()
        stopped = service.outcome()
        return _closed(stopped, language) if stopped.result["not_attempted"] else stopped
    except StaleRun:
        raise
    except PlatformError as error:
        if context.cancelled():
            return _closed(Outcome(), language)
        log.error("import_stopped", problem=str(error))
        code = "service_unavailable" if isinstance(error, Unavailable) else "service_refused"
        return Outcome(TaskStatus.FAILED, None, error.sentence(language), code)


@dataclass
class _OrderService:
    """gm_service's side of one import, as one run sees it; calls are tried again while it is away."""

    context: TaskContext
    import_id: int
    rows: int = FIRST_ROWS

    def attempt_rows(self) -> Counts:
        """Have the next rows attempted, and show how far the import is."""
        began = time.monotonic()
        counts: Counts = self.call("create", limit=self.rows)
        self._pace(time.monotonic() - began)
        self.context.show(counts)
        self.context.progress(counts["total"] - counts["not_attempted"], counts["total"])
        return counts

    def outcome(self) -> Outcome:
        """Return how the import ends as it stands."""
        answer = self.call("outcome")
        return Outcome(TaskStatus(answer["status"]), answer["result"], answer["reason"], answer["reason_code"])

    def call(self, verb: str, **parameters: Any) -> Any:
        context = self.context
        body = {
            "import_id": self.import_id,
            "task_id": context.task_id,
            "run_count": context.run_count,
            "station_id": context.station_id,
            **parameters,
        }
        return _call(context, verb, body)

    def _pace(self, seconds: float) -> None:
        """Ask for as many rows as a call's time allows: few where each is slow, so that a stop is seen soon."""
        if seconds > CALL_SECONDS:
            self.rows = max(1, self.rows // 2)
        elif seconds < CALL_SECONDS / 2:
            self.rows = min(MOST_ROWS, self.rows * 2)


def _find_import(context: TaskContext) -> int:
    """Return the id of the import that the input names; rows that stand in the input itself are handed over first."""
    match context.input:
        case {"import_id": int(import_id)}:
            return import_id
        case {"order_data": list(orders), "time_config_id": str(time_config_id), **given}:
            body = {
                "task_id": context.task_id,
                "station_id": context.station_id,
                "time_config_id": time_config_id,
                "file_name": str(given.get("file_name") or ""),
                "order_data": orders,
            }
            return int(_call(context, "open", body)["import_id"])
    is_chinese = context.settings.language == "zh"
    raise RunFailed("批量数据不完整。" if is_chinese else "The task's input is no batch of orders.", "bad_input")


def _call(context: TaskContext, verb: str, body: dict[str, Any]) -> Any:
    return call_patiently(
        lambda: context.order_service.call("POST", ENDPOINT + verb, body),
        Patience(context.settings.report_seconds),
        event=f"import_{verb}",
        given_up=context.cancelled,
    )


def _closed(outcome: Outcome, language: Language) -> Outcome:
    """Return the end of an import that somebody stopped: what is in its result stays."""
    return Outcome(TaskStatus.FAILED, outcome.result, sentence(ReasonCode.CLOSED, language), ReasonCode.CLOSED)
