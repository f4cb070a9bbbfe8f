"""Exports of the signed-in station's orders."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g, jsonify, request
from pydantic import BaseModel, Field

from gm_service.orders.collaborators import Station
from gm_service.orders.exports.commands import ExportOrders
from gm_service.orders.exports.service import ExportAnswer, ExportService
from shared.envelope import Envelope, success
from shared.errors import Language
from shared.metrics.meters import Meters
from shared.metrics.table import EXPORT_SECONDS, EXPORTS, SERVICE
from shared.web.params import takes


class ExportData(BaseModel):
    """Where the file is, or where to ask for it."""

    is_async: int = Field(alias="async")
    """0: made at once, `link` is given; 1: a task makes it, `task_url` and `task_id` are given"""
    reason: str
    """why it is made so"""
    link: str = ""
    task_url: str = ""
    task_id: int = 0


class ExportEnvelope(Envelope[ExportData]):
    """How an export is made."""


class ForecastData(BaseModel):
    """What an export would be."""

    orders: int
    """that match"""
    more: bool
    """more match than were counted"""
    is_async: int = Field(alias="async")
    """0: it would be made at once; 1: a task would make it"""


class ForecastAnswer(Envelope[ForecastData]):
    """What an export would be."""


def exports_routes(
    exports: ExportService,
    require_station: Callable[[], Station],
    meters: Meters | None = None,
    find_username: Callable[[], str | None] = lambda: None,
) -> APIBlueprint:
    """Return the routes; `require_station` tells who asks, or raises."""
    counted = meters or Meters(SERVICE)
    blueprint = APIBlueprint("exports", __name__, tag="Exports")

    @blueprint.before_request
    def _signed_in() -> None:
        require_station()  # before the parameters are read: strangers learn nothing of them

    @blueprint.get("/station/sales_analysis/orderdetail")
    @takes(ExportOrders, answers=ExportEnvelope, location="query")
    def export_orderdetail(command: ExportOrders) -> Response:
        """Export order details: a link to the finished file, or where to ask for it."""
        prefer_async = _prefers_async(request.headers.getlist("Prefer"))
        began = time.monotonic()
        answer = exports.export(require_station(), command, g.language, prefer_async, find_username())
        counted.count(EXPORTS, mode="async" if answer.mode.is_async else "sync")
        if not answer.mode.is_async:
            counted.observe(EXPORT_SECONDS, time.monotonic() - began)
        response = jsonify(success(_to_data(answer, g.language)))
        if prefer_async:
            response.headers["Preference-Applied"] = "respond-async"
        return response

    @blueprint.get("/station/sales_analysis/orderdetail/count")
    @takes(ExportOrders, answers=ForecastAnswer, location="query")
    def count_orderdetail(command: ExportOrders) -> dict[str, Any]:
        """Say how many orders match, before anything is made."""
        told = exports.count(require_station(), command, g.language)
        return success({"orders": told.orders, "more": told.is_more, "async": int(told.is_async)})

    return blueprint


def _prefers_async(headers: list[str]) -> bool:
    """Read RFC 7240's Prefer."""
    preferences = [part.split(";")[0].strip().lower() for header in headers for part in header.split(",")]
    return "respond-async" in preferences


def _to_data(answer: ExportAnswer, language: Language) -> dict[str, Any]:
    # Older callers compare with 0 and 1, so these are numbers.
    data: dict[str, Any] = {
        "async": int(answer.mode.is_async),
        "reason": answer.mode.reason_zh if language == "zh" else answer.mode.reason,
    }
    if answer.link is not None:
        data["link"] = answer.link
    if answer.task_url is not None:
        data |= {"task_url": answer.task_url, "task_id": answer.task_id}
    return data
