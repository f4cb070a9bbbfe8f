"""GM_YONGYOU: gm_service refuses what U8 would choke on, and tasks carry the same values to whoever runs them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gm_service.yongyou import DEFAULTS, Accounts, CodeMaps, YongyouSettings

_AS_GM_SERVICE_READS = TypeAdapter(YongyouSettings)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"tax_rate": 9, "department": "203", "person": "P07"},
        {"tax_rate": 0.5},
        {"tax_rate": "6.25", "accounts": {"revenue": "600101"}},
        {"code_maps": {"customers": {"017850": "C-0001"}, "items": {}, "units": {"pcs": "个"}}},
    ],
)
def test_what_the_service_reads_survives_a_tasks_input(values: dict[str, Any]) -> None:
    read = _AS_GM_SERVICE_READS.validate_json(json.dumps(values))

    assert YongyouSettings.from_json(json.loads(json.dumps(read.to_json()))) == read


@pytest.mark.parametrize(
    "values",
    [
        {"tax_rate": -1},
        {"tax_rate": 100.5},
        {"tax_rate": "13.001"},
        {"tax_rate": "NaN"},
        {"taxrate": 13},
        {"department": "2,03"},
        {"department": 'the "first"'},
        {"maker": "a\nb"},
        {"maker": "a\u0085b"},
        {"maker": "a\u2028b"},
        {"sender": "\ufffe"},
        {"sales_type": "1" * 61},
        {"sales_type": 1},
        {"accounts": {"revenue": ""}},
        {"accounts": {"revenue": "6001,1"}},
        {"accounts": {"cash": "1001"}},
        {"code_maps": {"units": {"pcs": "a,b"}}},
        {"code_maps": {"skus": {}}},
        [],
        "x",
    ],
)
def test_service_does_not_start_with_what_u8_would_refuse(values: Any) -> None:
    with pytest.raises(ValidationError):
        _AS_GM_SERVICE_READS.validate_json(json.dumps(values))


def test_bytes_of_another_encoding_are_refused() -> None:
    with pytest.raises(ValueError, match="maker must be"):
        YongyouSettings(maker=b"\xd5\xc5".decode("utf-8", "surrogateescape"))


def test_without_setting_it_is_the_standard_chart_and_rate() -> None:
    assert YongyouSettings.from_json({}) == DEFAULTS
    assert DEFAULTS.accounts == Accounts("1122", "6001", "22210101")
    assert (DEFAULTS.tax_rate, DEFAULTS.code_maps) == (Decimal(13), CodeMaps())
