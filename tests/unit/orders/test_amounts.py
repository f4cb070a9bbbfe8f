"""Amounts without tax: a table of known ones, and rules that hold for whatever hypothesis thinks of."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gm_service.orders.exports.amounts import included_tax, price_without_tax, split_tax

CENT = Decimal("0.01")
amounts = st.decimals("-99999999.99", "99999999.99", places=2)
rates = st.sampled_from(["0", "1", "3", "6", "9", "13", "17", "0.5", "99.99", "100"]).map(Decimal)
documents = st.lists(amounts, min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("amount", "rate", "tax"),
    [
        ("113.00", "13", "13.00"),
        ("26820.00", "13", "3085.49"),
        ("-113.00", "13", "-13.00"),
        ("0.01", "13", "0.00"),
        ("0.01", "100", "0.01"),
        ("-0.01", "100", "-0.01"),
        ("100.00", "0", "0.00"),
        ("0.00", "13", "0.00"),
    ],
)
def test_tax_that_an_amount_includes(amount: str, rate: str, tax: str) -> None:
    assert included_tax(Decimal(amount), Decimal(rate)) == Decimal(tax)


@pytest.mark.parametrize("amount", ["-0.01", "-0.04", "0.00"])
def test_nothing_has_no_sign(amount: str) -> None:
    (split,) = split_tax([Decimal(amount)], Decimal(13))
    price = price_without_tax(Decimal("0.00"), Decimal(-1), Decimal(0), Decimal(13))

    assert (str(split.tax), price.is_signed()) == ("0.00", False)


def test_last_line_bears_the_difference() -> None:
    split = split_tax([Decimal(1)] * 3, Decimal(13))

    assert [each.tax for each in split] == [Decimal("0.12"), Decimal("0.12"), Decimal("0.11")]


def test_lines_before_bear_what_the_last_one_is_too_small_for() -> None:
    split = split_tax([Decimal("0.04")] * 100, Decimal(13))

    assert sum(each.tax for each in split) == Decimal("0.46")
    assert all(each.tax <= each.sum for each in split)


def test_order_without_lines_has_no_amounts() -> None:
    assert split_tax([], Decimal(13)) == []


@given(documents, rates)
def test_money_and_tax_make_the_sum_of_each_line(sums: list[Decimal], rate: Decimal) -> None:
    split = split_tax(sums, rate)

    assert [each.sum for each in split] == sums
    assert all(each.money + each.tax == each.sum for each in split)
    assert all(part == part.quantize(CENT) for each in split for part in each)


@given(documents, rates)
def test_taxes_of_the_lines_add_up_to_the_tax_on_the_total(sums: list[Decimal], rate: Decimal) -> None:
    split = split_tax(sums, rate)

    exact = sum(sums) * rate / (100 + rate)
    assert sum(each.tax for each in split) == exact.quantize(CENT, ROUND_HALF_UP)


@given(documents, rates)
def test_neither_part_of_a_line_has_the_other_sign(sums: list[Decimal], rate: Decimal) -> None:
    for each in split_tax(sums, rate):
        assert each.tax * each.sum >= 0
        assert each.money * each.sum >= 0


@given(st.lists(st.decimals("10", "99999", places=2), min_size=2, max_size=30), rates)
def test_lines_before_the_last_are_rounded_by_themselves(sums: list[Decimal], rate: Decimal) -> None:
    split = split_tax(sums, rate)

    assert [each.tax for each in split[:-1]] == [included_tax(each, rate) for each in sums[:-1]]


@given(documents, rates)
def test_a_return_mirrors_its_order(sums: list[Decimal], rate: Decimal) -> None:
    mirrored = split_tax([-each for each in sums], rate)

    assert [-each.tax for each in mirrored] == [each.tax for each in split_tax(sums, rate)]


@given(amounts, st.decimals("0.001", "9999999", places=3), rates)
def test_price_times_quantity_rounds_to_the_amount(money: Decimal, quantity: Decimal, rate: Decimal) -> None:
    price = price_without_tax(money, quantity, Decimal(1), rate)

    assert (price * quantity).quantize(CENT, ROUND_HALF_UP) == money


def test_line_without_quantity_has_the_price_that_follows_from_the_other() -> None:
    assert price_without_tax(Decimal(0), Decimal(0), Decimal("11.30"), Decimal(13)) == Decimal(10)
