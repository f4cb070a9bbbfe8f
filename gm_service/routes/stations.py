"""What a station's forms choose from: its operating cycles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel

from gm_service.auth import Station
from gm_service.commands import Nothing
from gm_service.orders.cycles import CycleReader
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


def station_routes(cycles: CycleReader, require_station: Callable[[], Station]) -> APIBlueprint:
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

    return routes
