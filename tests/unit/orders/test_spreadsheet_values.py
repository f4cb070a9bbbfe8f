"""What only spreadsheets make of a value is refused with a reason that says so."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gm_service.orders.imports.row_reasons import DISAGREEMENT, RowError
from gm_service.orders.imports.validation import check_order
from tests.support.order_rows import CYCLE, make_row


def refusal(row: Any) -> RowError:
    verdict = check_order(row, ZoneInfo("Asia/Shanghai"), CYCLE)
    assert isinstance(verdict, RowError), verdict
    return verdict


@pytest.mark.parametrize(
    "column", ["order_no", "order_time", "receive_date", "sku", "quantity", "unit_price", "remark"]
)
@pytest.mark.parametrize(
    ("value", "code"), [("=B2*C2", "formula"), ("#N/A", "error_value"), (" #REF! ", "error_value")]
)
def test_calculated_value_is_refused_in_every_column(column: str, value: str, code: str) -> None:
    error = refusal(make_row(**{column: value}))

    assert (error.column, error.code) == (column, code)


@pytest.mark.parametrize("value", [1e15, -1e15, 1.234567890123457e17])
def test_code_that_lost_digits_is_refused(value: float) -> None:
    error = refusal(make_row(order_no=value))

    assert (error.column, error.code) == ("order_no", "digits_lost")


def test_contradicting_rows_are_refused_at_their_column() -> None:
    found = {"column": "lines[1].area", "value": "North", "first": "South"}

    error = refusal({**make_row(), DISAGREEMENT: found})

    assert (error.column, error.value, error.code) == ("lines[1].area", "North", "lines_disagree")
    assert "South" in error.en
    assert "South" in error.zh


@pytest.mark.parametrize("made_up", [None, 5, [], {}, {"column": {"a": 1}, "first": "\x00"}, {"column": "x" * 900}])
def test_made_up_contradiction_is_refused_too(made_up: Any) -> None:
    error = refusal({**make_row(), DISAGREEMENT: made_up})

    assert error.code == "lines_disagree"
    assert len(error.column) <= 64
    assert len(error.en) <= 500
