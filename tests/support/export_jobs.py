"""Exports of a running platform, as a station's program asks for them."""

from __future__ import annotations

from typing import Any

from tests.support.cluster import StationClient

EXPORT = "/station/sales_analysis/orderdetail"


def start_export(station: StationClient, **asked: Any) -> int:
    """Ask for an export of orders by their date that a worker makes, however small; return its task."""
    answer = station.get(EXPORT, {"Prefer": "respond-async"}, **{"query_type": 1, **asked}).json()
    assert answer["code"] == 0, answer
    return int(answer["data"]["task_id"])
