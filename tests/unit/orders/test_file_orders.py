"""The rows of a sheet become orders, and an order the cells of a sheet."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gm_service.orders.imports.files.columns import match_columns
from gm_service.orders.imports.files.orders import FileOrder, cells_of_order, to_orders
from gm_service.orders.imports.files.reading import Sheet, SheetRow
from gm_service.orders.imports.row_reasons import RowError
from gm_service.orders.imports.validation import NewOrder, check_order
from shared.errors import RuleRefused
from tests.support.order_rows import CYCLE, make_row

FLAT = ("order_no", "order_time", "sku", "quantity", "unit_price", "Colour", "area")
LINED = ("order_no", "area", "line", "sku", "quantity", "unit_price", "order_time")
NOON = "2010-12-01 12:00:00"


def make_sheet(titles: tuple[str, ...], *rows: tuple[Any, ...], kind: Any = "xlsx") -> Sheet:
    numbered = tuple(SheetRow(number, cells) for number, cells in enumerate(rows, start=2))
    return Sheet(titles, numbered, kind, None, None, ())


def orders_of(titles: tuple[str, ...], *rows: tuple[Any, ...], kind: Any = "xlsx") -> list[FileOrder]:
    return to_orders(make_sheet(titles, *rows, kind=kind), match_columns(titles))


def check(order: Any) -> NewOrder | RowError:
    return check_order(order, ZoneInfo("Asia/Shanghai"), CYCLE)


def test_without_line_numbers_each_row_is_an_order() -> None:
    first, second = orders_of(FLAT, ("A", NOON, "S", 1, 2, "red", None), ("A", NOON, "T", 1, 2, None, " "))

    assert first.order == {"order_no": "A", "order_time": NOON, "sku": "S", "quantity": 1, "unit_price": 2}
    assert first.cells == [["A", NOON, "S", 1, 2, "red", None]]
    assert (first.first_row, second.first_row, second.order["sku"]) == (2, 3, "T")


def test_with_line_numbers_rows_of_one_number_are_one_order() -> None:
    first, second = orders_of(
        LINED, ("A", "North", 1, "S", 1, 2, NOON), ("A", None, 2, "T", 3, 4, None), ("B", None, 1, "S", 1, 2, NOON)
    )

    assert first.order == {
        "order_no": "A",
        "area": "North",
        "order_time": NOON,
        "lines": [{"sku": "S", "quantity": 1, "unit_price": 2}, {"sku": "T", "quantity": 3, "unit_price": 4}],
    }
    assert len(first.cells) == 2
    assert (second.order["order_no"], second.first_row) == ("B", 4)
    assert isinstance(check(first.order), NewOrder)


def test_number_and_text_of_an_order_number_are_the_same() -> None:
    assert len(orders_of(LINED, (17, None, 1, "S", 1, 2, NOON), ("17", None, 2, "T", 1, 2, NOON))) == 1


def test_rows_without_an_order_number_are_never_one_order() -> None:
    assert len(orders_of(LINED, (None, None, 1, "S", 1, 2, NOON), (None, None, 2, "T", 1, 2, NOON))) == 2


@pytest.mark.parametrize(
    ("second", "column", "value"),
    [
        (("A", "South", 2, "T", 1, 2, NOON), "lines[1].area", "South"),
        (("A", "North", 1, "T", 1, 2, NOON), "lines[1].line", "1"),
        (("A", "North", "1", "T", 1, 2, NOON), "lines[1].line", "1"),
        (("A", "North", 2, "T", 1, 2, "2010-12-02"), "lines[1].order_time", "2010-12-02"),
    ],
)
def test_contradicting_rows_make_an_order_that_fails(second: tuple[Any, ...], column: str, value: str) -> None:
    (order,) = orders_of(LINED, ("A", "North", 1, "S", 1, 2, NOON), second)

    error = check(order.order)

    assert isinstance(error, RowError)
    assert (error.code, error.column, error.value) == ("lines_disagree", column, value)


def test_rows_with_nothing_of_an_order_are_passed_over() -> None:
    rows = (("A", None, 1, "S", 1, 2, NOON), (None, " ", 2, None, None, None, None))

    assert [order.first_row for order in orders_of(LINED, *rows)] == [2]
    with pytest.raises(RuleRefused):
        orders_of(FLAT, (None, None, None, None, None, "=1+1", " "))


@pytest.mark.parametrize("word", ["Total", "合计", "小计：", " TOTAL: "])
def test_line_of_totals_is_no_order(word: str) -> None:
    rows = (("A", NOON, "S", 1, 2, None, None), (word, None, None, 17, None, 99.5, None))

    assert len(orders_of(FLAT, *rows)) == 1


def test_order_that_is_called_total_is_an_order() -> None:
    assert len(orders_of(FLAT, ("Total", NOON, "S", 1, 2, None, None))) == 1


def test_apostrophe_of_our_own_csv_is_taken_away() -> None:
    (order,) = orders_of(FLAT, ("'-17", NOON, "'S", 1, 2, None, "O'Hara"), kind="csv")

    assert (order.order["order_no"], order.order["sku"], order.order["area"]) == ("-17", "'S", "O'Hara")


@pytest.mark.parametrize(
    ("order", "cells"),
    [
        (make_row(colour="red"), [["A-1", 1, "85123A", 6, None]]),
        (
            {"order_no": "B", "lines": [{"sku": "S"}, 5, {"quantity": 2}]},
            [["B", 1, "S", None, None], ["B", 2, None, None, None], ["B", 3, None, 2, None]],
        ),
        ({"order_no": "B", "lines": []}, [["B", 1, None, None, None]]),
        ("no order", [[None] * 5]),
        (None, [[None] * 5]),
    ],
)
def test_cells_of_an_order_submitted_as_json(order: Any, cells: list[list[Any]]) -> None:
    assert cells_of_order(order, ("order_no", "line", "sku", "quantity", None)) == cells


def test_cells_of_an_order_make_the_order_again() -> None:
    order = {**make_row(sku=..., quantity=..., unit_price=..., sku_name=..., unit=...)}
    order["lines"] = [{"sku": "S", "quantity": 1, "unit_price": 2}, {"sku": "T", "quantity": 3, "unit_price": 4}]

    (again,) = orders_of(LINED, *[tuple(cells) for cells in cells_of_order(order, LINED)])

    assert again.order == order
