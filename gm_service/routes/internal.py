"""What gm_task calls without a sign-in, with the service key instead."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from gm_service.config import ServiceSettings
from gm_service.orders.commands import CreateOrders
from gm_service.orders.service import OrderService
from shared.envelope import success
from shared.web.app import require_service_key
from shared.web.params import takes


def internal_routes(service: OrderService, settings: ServiceSettings) -> APIBlueprint:
    """Return the routes that holders of the service key may call."""
    blueprint = APIBlueprint("internal", __name__, url_prefix="/no_login", tag="Internal")

    @blueprint.before_request
    def _holds_key() -> None:
        require_service_key(settings)

    @blueprint.post("/station/order/batch/create")
    @takes(CreateOrders, max_body="max_batch_body_bytes")
    def create_orders(command: CreateOrders) -> dict[str, Any]:
        """Create the orders of one chunk of an import; repeated, it answers what was recorded."""
        return success({"rows": [outcome.to_json() for outcome in service.create_orders(command)]})

    return blueprint
