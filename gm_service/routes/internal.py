"""What gm_task calls without a sign-in, with the service key instead."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel

from gm_service.config import ServiceSettings
from gm_service.orders.imports.commands import CreateOrders
from gm_service.orders.imports.service import OrderService
from shared.envelope import Envelope, success
from shared.web.app import require_service_key
from shared.web.params import takes


class RowData(BaseModel):
    """What became of one row."""

    index: int
    state: Literal["created", "failed"]
    order_id: int | str | None = None
    code: str | None = None
    column: str | None = None
    value: str | None = None
    reason: str | None = None
    reason_zh: str | None = None


class RowsData(BaseModel):
    """What became of a chunk."""

    rows: list[RowData]


class RowsEnvelope(Envelope[RowsData]):
    """The rows of a chunk, as the ledger has them."""


def internal_routes(service: OrderService, settings: ServiceSettings) -> APIBlueprint:
    """Return the routes that holders of the service key may call."""
    blueprint = APIBlueprint("internal", __name__, url_prefix="/no_login", tag="Internal")

    @blueprint.before_request
    def _holds_key() -> None:
        require_service_key(settings)

    @blueprint.post("/station/order/batch/create")
    @takes(CreateOrders, answers=RowsEnvelope, max_body="max_batch_body_bytes")
    def create_orders(command: CreateOrders) -> dict[str, Any]:
        """Create the orders of one chunk of an import; repeated, it answers what was recorded."""
        return success({"rows": [outcome.to_json() for outcome in service.create_orders(command)]})

    return blueprint
