"""What a station's orders may name: its operating cycles, goods and buyers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel

from gm_service.auth import Station
from gm_service.commands import Nothing
from gm_service.orders.cycles import CycleReader
from gm_service.orders.imports.catalogue import CatalogueService, Entry, Kind
from gm_service.orders.imports.commands import PutCatalogue
from shared.envelope import Envelope, success
from shared.web.params import takes


class TimeConfigData(BaseModel):
    """An operating cycle: a daily window that order times fall into."""

    id: str
    name: str
    start_time: str
    """HH:MM in the station's zone"""
    end_time: str
    """HH:MM; not after start_time means on the next day"""


class TimeConfigsAnswer(Envelope[list[TimeConfigData]]):
    """The station's operating cycles."""


class CatalogueData(BaseModel):
    """How many codes the station's lists have."""

    goods: int
    buyers: int


class CatalogueAnswer(Envelope[CatalogueData]):
    """The station's lists of goods and buyers."""


def station_routes(
    cycles: CycleReader, lists: CatalogueService, require_station: Callable[[], Station]
) -> APIBlueprint:
    """Return the blueprint of what a station is made of."""
    routes = APIBlueprint("stations", __name__, url_prefix="/station", tag="Stations")

    @routes.before_request
    def _signed_in() -> None:
        require_station()

    @routes.get("/time_configs")
    @takes(Nothing, answers=TimeConfigsAnswer, location="query")
    def list_time_configs(command: Nothing) -> dict[str, Any]:  # noqa: ARG001 refuses parameters, has none
        """List the station's operating cycles."""
        return success([asdict(config) for config in cycles.list_cycles(require_station().id)])

    @routes.get("/catalogue")
    @takes(Nothing, answers=CatalogueAnswer, location="query")
    def count_catalogue(command: Nothing) -> dict[str, Any]:  # noqa: ARG001 as above
        """Say how many codes the station's lists have; a list without any is not kept, and every code is taken."""
        return success(_counts(lists.count(require_station().id)))

    @routes.post("/catalogue")
    @takes(PutCatalogue, answers=CatalogueAnswer, max_body="max_batch_body_bytes")
    def put_catalogue(command: PutCatalogue) -> dict[str, Any]:
        """Add goods and buyers to the lists that imports are held against, or change what stands under their codes."""
        entries = {
            Kind.SKU: [Entry(each.code, each.name, each.unit) for each in command.goods],
            Kind.BUYER: [Entry(each.code, each.name) for each in command.buyers],
        }
        return success(_counts(lists.put(require_station().id, entries)))

    return routes


def _counts(counts: dict[Kind, int]) -> dict[str, int]:
    return {"goods": counts[Kind.SKU], "buyers": counts[Kind.BUYER]}
