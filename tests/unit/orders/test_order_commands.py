"""Parameters of the order endpoints, and the query that travels in a task's input."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gm_service.orders.exports.commands import ExportOrders
from gm_service.orders.query import ExportRequest
from gm_service.yongyou import Accounts, YongyouSettings
from shared.errors import InvalidField
from shared.web import strict_json
from shared.web.params import to_command

ZONE = ZoneInfo("Asia/Shanghai")
BY_DATE = {"query_type": "1", "start_date": "2010-12-01", "end_date": "2010-12-02"}
BY_CYCLE = {
    "query_type": "2",
    "time_config_id": "whole-day",
    "cycle_start_time": "2010-12-01 06:00:00",
    "cycle_end_time": "2010-12-02 06:00:00",
}


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({}, "query_type"),
        ({**BY_DATE, "query_type": "4"}, "query_type"),
        ({**BY_DATE, "query_type": "1abc"}, "query_type"),
        ({**BY_DATE, "start_date": ""}, "start_date"),
        ({**BY_DATE, "end_date": "2010-02-30"}, "end_date"),
        ({**BY_DATE, "end_date": "20101202"}, "end_date"),
        ({**BY_DATE, "end_date": "9999-12-31"}, "end_date"),
        ({**BY_DATE, "end_date": "2010-11-30"}, "end_date"),
        ({**BY_DATE, "start_date": "1990-01-01"}, "end_date"),
        ({**BY_DATE, "status": "5"}, "status"),
        ({**BY_DATE, "search_text": "x" * 101}, "search_text"),
        ({**BY_DATE, "search_text": "a\x00"}, "search_text"),
        ({**BY_DATE, "station_id": "S002"}, "station_id"),
        ({**BY_CYCLE, "time_config_id": ""}, "time_config_id"),
        ({**BY_CYCLE, "cycle_start_time": "soon"}, "cycle_start_time"),
        ({**BY_CYCLE, "cycle_end_time": "0001-01-01 00:00:00"}, "cycle_end_time"),
        ({**BY_CYCLE, "cycle_end_time": "2010-12-01 05:59:59"}, "cycle_end_time"),
    ],
)
def test_wrong_parameter_is_named(parameters: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        to_command(ExportOrders, parameters).to_query(ZONE)

    assert field == refused.value.details["field"]


@pytest.mark.parametrize(
    "parameters",
    [
        {**BY_DATE, "status": "2", "search_text": "50%_'", "search_area": "EIRE"},
        BY_CYCLE,
        {**BY_CYCLE, "cycle_start_time": "2010-12-01T06:00:00+01:00"},
        {**BY_DATE, "query_type": "3", "search_text": ""},
    ],
)
def test_request_survives_the_journey_through_a_task_input(parameters: dict[str, Any]) -> None:
    query = to_command(ExportOrders, parameters).to_query(ZONE)
    yongyou = YongyouSettings(tax_rate=Decimal("6.5"), accounts=Accounts(revenue="600101"))
    request = ExportRequest("S001", query, "yongyou", "订单.xlsx", "zh", yongyou)

    travelled = ExportRequest.from_json(strict_json.loads(strict_json.dumps(request.to_json())))

    assert request == travelled
