"""The rules of one submitted row, as a table."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gm_service.orders.imports.row_reasons import RowError, row_error
from gm_service.orders.imports.validation import NewOrder, check_order
from gm_service.orders.models import TimeConfig
from shared.web import strict_json
from tests.support.order_rows import CYCLE, make_row

ZONE = ZoneInfo("Asia/Shanghai")
LINE = {"sku": "S", "quantity": 1, "unit_price": 1}


def check(row: Any, cycle: TimeConfig = CYCLE) -> NewOrder | RowError:
    return check_order(row, ZONE, cycle)


def refusal(row: Any) -> RowError:
    verdict = check(row)
    assert isinstance(verdict, RowError), verdict
    return verdict


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"order_no": ...}, "order_no", "missing"),
        ({"order_no": "  "}, "order_no", "missing"),
        ({"order_no": "x" * 65}, "order_no", "too_long"),
        ({"order_no": True}, "order_no", "not_text"),
        ({"order_no": 5363.65}, "order_no", "not_text"),
        ({"order_no": "a\x00b"}, "order_no", "bad_character"),
        ({"order_no": "a\ud800"}, "order_no", "bad_character"),
        ({"order_no": "a\nb"}, "order_no", "bad_character"),
        ({"order_no": "a\u2028b"}, "order_no", "bad_character"),
        ({"order_no": "a\u202eb"}, "order_no", "bad_character"),
        ({"order_no": "\u200b"}, "order_no", "missing"),
        ({"buyer_code": "a\tb"}, "buyer_code", "bad_character"),
        ({"buyer_name": "\ufffd\ufffd"}, "buyer_name", "bad_character"),
        ({"area": "a\u2066b"}, "area", "bad_character"),
        ({"sku": "a\x7fb"}, "sku", "bad_character"),
        ({"sku_name": "a\x85b"}, "sku_name", "bad_character"),
        ({"unit": "a\rb"}, "unit", "bad_character"),
        ({"remark": "\ufffd"}, "remark", "bad_character"),
        ({"remark": "a\u202eb"}, "remark", "bad_character"),
        ({"sku": ...}, "sku", "missing"),
        ({"sku": None}, "sku", "missing"),
        ({"sku": ["S"]}, "sku", "not_text"),
        ({"sku_name": "=cmd|' /C calc'!A0"}, "sku_name", "formula"),
        ({"remark": " =1+1"}, "remark", "formula"),
        ({"remark": "\n=1"}, "remark", "formula"),
        ({"remark": "\u00a0=1"}, "remark", "formula"),
        ({"remark": "\u200b=1"}, "remark", "formula"),
        ({"remark": "＝1"}, "remark", "formula"),
        ({"remark": "+SUM(A1)"}, "remark", "formula"),
        ({"buyer_name": "@SUM(A1)"}, "buyer_name", "formula"),
        ({"buyer_name": "\t=1"}, "buyer_name", "formula"),
        ({"buyer_name": "\r=1"}, "buyer_name", "formula"),
        ({"remark": "x" * 501}, "remark", "too_long"),
        ({"unit": "x" * 17}, "unit", "too_long"),
        ({"quantity": ...}, "quantity", "missing"),
        ({"quantity": ""}, "quantity", "missing"),
        ({"quantity": 0}, "quantity", "not_positive"),
        ({"quantity": -6}, "quantity", "not_positive"),
        ({"quantity": "-6"}, "quantity", "not_positive"),
        ({"quantity": True}, "quantity", "not_a_number"),
        ({"quantity": "six"}, "quantity", "not_a_number"),
        ({"quantity": "１２"}, "quantity", "not_a_number"),
        ({"quantity": float("nan")}, "quantity", "not_a_number"),
        ({"quantity": float("inf")}, "quantity", "not_a_number"),
        ({"quantity": {}}, "quantity", "not_a_number"),
        ({"quantity": 1.0005}, "quantity", "too_precise"),
        ({"quantity": 10**8}, "quantity", "too_large"),
        ({"quantity": 10**5000}, "quantity", "too_large"),
        ({"quantity": 1e300}, "quantity", "too_large"),
        ({"unit_price": 0}, "unit_price", "not_positive"),
        ({"unit_price": 0.0}, "unit_price", "not_positive"),
        ({"unit_price": "0.00001"}, "unit_price", "too_precise"),
        ({"quantity": 99_999_999, "unit_price": 99_999_999}, "amount", "too_large"),
        ({"quantity": "0.001", "unit_price": "0.0001"}, "amount", "worth_nothing"),
        ({"receive_date": "2010-11-30"}, "receive_date", "before_order"),
        ({"order_time": ...}, "order_time", "missing"),
        ({"order_time": "2010-02-30"}, "order_time", "bad_date"),
        ({"order_time": "2010-12-01 24:00"}, "order_time", "bad_date"),
        ({"order_time": "2010-12-01T08:00+99:99"}, "order_time", "bad_date"),
        ({"order_time": "yesterday"}, "order_time", "bad_date"),
        ({"order_time": 40513}, "order_time", "bad_date"),
        ({"order_time": "1999-12-31"}, "order_time", "date_out_of_range"),
        ({"order_time": "9999-12-31"}, "order_time", "date_out_of_range"),
        ({"receive_date": "2010-13-01"}, "receive_date", "bad_date"),
        ({"receive_date": "2010-12-01 08:00"}, "receive_date", "bad_date"),
        ({"qty": 3}, "qty", "unknown_column"),
        ({"lines": [LINE]}, "quantity", "lines_twice"),
    ],
)
def test_bad_value_is_refused_by_column(changes: dict[str, Any], column: str, code: str) -> None:
    error = refusal(make_row(**changes))

    assert (column, code) == (error.column, error.code)


@pytest.mark.parametrize(
    ("lines", "column", "code"),
    [
        ([], "lines", "bad_lines"),
        ({}, "lines", "bad_lines"),
        ([LINE] * 1001, "lines", "bad_lines"),
        ([LINE, 5], "lines[1]", "not_an_object"),
        ([LINE, {**LINE, "quantity": -1}], "lines[1].quantity", "not_positive"),
        ([LINE, {**LINE, "quantity": "0.001", "unit_price": "0.0001"}], "lines[1].amount", "worth_nothing"),
        ([{**LINE, "colour": "red"}], "lines[0].colour", "unknown_column"),
    ],
)
def test_bad_lines_are_refused_by_place(lines: Any, column: str, code: str) -> None:
    error = refusal({"order_no": "A-1", "order_time": "2010-12-01", "lines": lines})

    assert (column, code) == (error.column, error.code)


@pytest.mark.parametrize("row", [None, 5, "text", [], True])
def test_row_that_is_no_object_is_refused(row: Any) -> None:
    assert refusal(row).code == "not_an_object"


def test_reason_names_column_and_value_in_both_languages() -> None:
    error = refusal(make_row(quantity=-6))

    assert error.en == "Quantity must be above zero, not -6"
    assert error.zh == "“数量”必须大于零，现为 -6"


@pytest.mark.parametrize(("value", "shown"), [(..., ""), (None, ""), ("  ", "  ")])
def test_missing_value_is_not_quoted(value: Any, shown: str) -> None:
    error = refusal(make_row(sku=value))

    assert (error.en, error.zh, error.value) == ("SKU is missing", "缺少“商品编码”", shown)


def test_row_of_another_shape_is_explained_without_a_programmers_words() -> None:
    error = refusal(5)

    assert error.en == "The row must have named columns, such as order_no and sku, not 5"
    assert error.zh == "“该行”应包含带名称的列（如 order_no、sku），现为 5"


def test_reason_can_not_be_turned_around_by_the_value() -> None:
    error = refusal(make_row(order_no="a\u202eb"))

    assert error.value == "a�b"
    assert "\u202e" not in error.en + error.zh


@pytest.mark.parametrize("remark", ["two\nlines", "two\r\nlines", "a\tb", "+86 138 0000 0000", "- leave at door", "-1"])
def test_remark_may_have_lines_and_signs(remark: str) -> None:
    order = check(make_row(remark=remark))

    assert isinstance(order, NewOrder)
    assert order.remark == remark


def test_columns_that_are_empty_do_not_stand_beside_lines() -> None:
    flat = check({**make_row(), "lines": None})
    listed = check({**make_row(sku=None, sku_name=None, unit=None, quantity=None, unit_price=None), "lines": [LINE]})

    assert isinstance(flat, NewOrder) and isinstance(listed, NewOrder)


def test_order_outside_its_operating_cycle_fails_by_the_window() -> None:
    morning = TimeConfig("morning", "上午", "06:00", "12:00")

    error = check(make_row(order_time="2010-12-01 22:00"), morning)

    assert isinstance(error, RowError)
    assert (error.column, error.value, error.code) == ("order_time", "2010-12-01 22:00", "outside_cycle")
    assert error.en == "Order time must fall into the operating cycle 上午 06:00-12:00, not 2010-12-01 22:00"
    assert error.zh == "“下单时间”应在运营周期 上午 06:00-12:00 内，现为 2010-12-01 22:00"


def test_operating_cycle_is_read_in_the_stations_zone() -> None:
    morning = TimeConfig("morning", "Morning", "06:00", "12:00")

    assert isinstance(check(make_row(order_time="2010-11-30T22:00:00Z"), morning), NewOrder)
    assert isinstance(check(make_row(order_time="2010-12-01T08:00:00Z"), morning), RowError)


def test_goods_may_be_received_on_the_day_of_the_order() -> None:
    assert isinstance(check(make_row(receive_date="2010-12-01")), NewOrder)


def test_long_value_is_cut_in_the_reason() -> None:
    error = refusal(make_row(remark="x" * 5000))

    assert len(error.value) == 80
    assert len(error.en) < 200


def test_good_flat_row_becomes_an_order_of_one_line() -> None:
    order = check(make_row(order_no=536365, remark=" two\nlines "))

    assert isinstance(order, NewOrder)
    assert order.order_no == "536365"
    assert order.remark == "two\nlines"
    assert order.order_time == datetime(2010, 12, 1, 0, 26)
    assert order.receive_date == date(2010, 12, 2)
    assert order.amount == Decimal("15.30")


def test_lines_are_rounded_one_by_one_to_the_cent() -> None:
    line = {"sku": "S", "quantity": "0.5", "unit_price": "0.01"}

    order = check({"order_no": "A-1", "order_time": "2010-12-01T23:00:00Z", "lines": [line, line]})

    assert isinstance(order, NewOrder)
    assert [line.amount for line in order.lines] == [Decimal("0.01"), Decimal("0.01")]
    assert order.amount == Decimal("0.02")


def test_order_before_the_cycle_begins_belongs_to_the_day_before() -> None:
    order = check(make_row(order_time="2010/12/1 5:59"))

    assert isinstance(order, NewOrder)
    assert order.receive_date == date(2010, 12, 1)


def test_given_receive_date_is_kept() -> None:
    order = check(make_row(receive_date="2010-12-24"))

    assert isinstance(order, NewOrder)
    assert order.receive_date == date(2010, 12, 24)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text(alphabet="=+-@\t\r0123456789.-: "),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
_columns = st.sampled_from([*make_row(), "lines", "receive_date", "buyer_code", "area", "remark"])


@given(st.dictionaries(_columns, _json) | _json)
def test_any_json_gets_a_verdict_that_can_be_stored(changes: Any) -> None:
    row = {**make_row(), **changes} if isinstance(changes, dict) else changes

    verdict = check(row)

    if isinstance(verdict, RowError):
        assert len(verdict.value) <= 80 and len(verdict.column) <= 64 and len(verdict.code) <= 32
        assert len(verdict.en) <= 500 and len(verdict.zh) <= 500
        assert strict_json.is_clean_text(verdict.en + verdict.zh + verdict.column)


@given(st.decimals("0.001", "99999999.999", places=3), st.decimals("0.0001", "99.9999", places=4))
def test_amount_is_within_half_a_cent_of_the_product(quantity: Decimal, unit_price: Decimal) -> None:
    order = check(make_row(quantity=str(quantity), unit_price=str(unit_price)))

    if isinstance(order, RowError):
        assert order.code == "worth_nothing" and quantity * unit_price < Decimal("0.005")
        return
    assert abs(order.amount - quantity * unit_price) <= Decimal("0.005")


@pytest.mark.parametrize(
    ("column", "en", "zh"),
    [
        ("quantity", "Quantity is missing", "缺少“数量”"),
        ("lines[0].unit_price", "Unit price of line 1 is missing", "缺少“第 1 条明细的单价”"),
        ("lines[2].line", "Line of line 3 is missing", "缺少“第 3 条明细的行号”"),
        ("lines[4]", "What stands in place of line 5 is missing", "缺少“第 5 条明细的内容”"),
        ("colour", "colour is missing", "缺少“colour”"),
    ],
)
def test_reasons_call_columns_as_a_clerk_does(column: str, en: str, zh: str) -> None:
    error = row_error("missing", column, None)

    assert (error.column, error.en, error.zh) == (column, en, zh)
