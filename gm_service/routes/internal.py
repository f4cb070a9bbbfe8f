"""What gm_task calls without a sign-in, with the service key instead."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel

from gm_service.config import ServiceSettings
from gm_service.orders.imports.commands import CreateOrders, GetOutcome, OpenImport
from gm_service.orders.imports.intake import IntakeExport, IntakeStep, IntakeSteps
from gm_service.orders.imports.runs import ImportRuns
from shared.envelope import Envelope, success
from shared.signing.guard import CallGuard
from shared.web.params import takes


class CountsData(BaseModel):
    """How far an import is."""

    total: int
    created: int
    failed: int
    not_attempted: int


class CountsAnswer(Envelope[CountsData]):
    """How far an import is after these rows."""


class OutcomeData(BaseModel):
    """How an import ends as it stands."""

    status: int
    reason: str | None
    reason_code: str | None
    result: dict[str, Any]


class OutcomeAnswer(Envelope[OutcomeData]):
    """The end of an import."""


class OpenData(BaseModel):
    """Where the rows are kept."""

    import_id: int


class OpenAnswer(Envelope[OpenData]):
    """An import whose rows are kept."""


def internal_routes(runs: ImportRuns, guard: CallGuard, settings: ServiceSettings) -> APIBlueprint:
    """Return the routes that holders of the service key may call."""
    blueprint = APIBlueprint("internal", __name__, url_prefix="/no_login/station/order/batch", tag="Internal")

    @blueprint.before_request
    def _holds_key() -> None:
        guard.check()

    @blueprint.post("/create")
    @takes(CreateOrders, answers=CountsAnswer)
    def create_orders(command: CreateOrders) -> dict[str, Any]:
        """Attempt the next rows of an import."""
        return success(runs.create_orders(command).to_json())

    @blueprint.post("/outcome")
    @takes(GetOutcome, answers=OutcomeAnswer)
    def get_outcome(command: GetOutcome) -> dict[str, Any]:
        """Tell how an import ends as it stands, with the task's whole result."""
        outcome = runs.get_outcome(command)
        end = outcome.end
        return success(
            {
                "status": int(end.status),
                "reason": end.reason(outcome.counts, settings.language),
                "reason_code": end.reason_code,
                "result": outcome.result,
            }
        )

    @blueprint.post("/open")
    @takes(OpenImport, answers=OpenAnswer, max_body="max_batch_body_bytes")
    def open_import(command: OpenImport) -> dict[str, Any]:
        """Keep the rows that a task's own input carries."""
        return success({"import_id": runs.open_import(command)})

    return blueprint


class CheckedIntakeAnswer(Envelope[CountsData]):
    """What importing the file would do."""


class IntakeExportAnswer(Envelope[dict[str, Any]]):
    """The input of a task that exports what the import has created."""


def intake_routes(steps: IntakeSteps, guard: CallGuard) -> APIBlueprint:
    """Return the routes that the handlers of `order_intake` call with the service key."""
    blueprint = APIBlueprint("intake", __name__, url_prefix="/no_login/station/order/intake", tag="Internal")

    @blueprint.before_request
    def _holds_key() -> None:
        guard.check()

    @blueprint.post("/check")
    @takes(IntakeStep, answers=CheckedIntakeAnswer)
    def check(command: IntakeStep) -> dict[str, Any]:
        """Say what an import would do with its rows."""
        return success(steps.check(command).to_json())

    @blueprint.post("/export_request")
    @takes(IntakeExport, answers=IntakeExportAnswer)
    def export_request(command: IntakeExport) -> dict[str, Any]:
        """Return how to export what an import has created."""
        return success(steps.export_request(command))

    return blueprint
