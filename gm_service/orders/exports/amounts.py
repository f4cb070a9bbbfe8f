"""Takes the tax out of amounts that include it, to the cent: what a line says and what its document says agree."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

_CENT = Decimal("0.01")
_PRICE_STEP = Decimal("1E-10")
_NOTHING = Decimal("0.00")
_HUNDRED = Decimal(100)


class Amounts(NamedTuple):
    """An amount and its two parts; `money + tax == sum` always."""

    money: Decimal
    """without tax"""
    tax: Decimal
    sum: Decimal
    """with tax"""


def split_tax(sums: Sequence[Decimal], tax_rate: Decimal) -> list[Amounts]:
    """Split the amounts of a document's lines, which include tax, in whole cents.

    Each line's tax is rounded (half up, away from zero); the document's tax is that of its total. What rounding makes
    of the difference goes to the last line. Where that line is too small to bear it, because its tax would exceed its
    amount or turn its sign, the lines before it bear the rest. `tax_rate` is in percent, from 0 to 100; amounts may be
    negative.
    """
    taxes = [included_tax(each, tax_rate) for each in sums]
    difference = included_tax(sum(sums, _NOTHING), tax_rate) - sum(taxes, _NOTHING)
    place = len(sums)
    while difference:
        place -= 1
        borne = _clamp(taxes[place] + difference, sums[place])
        difference += taxes[place] - borne
        taxes[place] = borne
    return [Amounts(each - tax, tax, each) for each, tax in zip(sums, taxes, strict=True)]


def included_tax(amount: Decimal, tax_rate: Decimal) -> Decimal:
    """Return the tax in an amount that includes it, in whole cents, half a cent rounded away from zero."""
    return _round(amount * tax_rate / (_HUNDRED + tax_rate), _CENT)


def price_without_tax(money: Decimal, quantity: Decimal, price: Decimal, tax_rate: Decimal) -> Decimal:
    """Return the price that leads from the quantity to `money`: times the quantity, it rounds to `money`.

    It has ten decimals, which is exact enough for quantities below ten million. A line without quantity has the price
    that follows from `price`, which includes tax.
    """
    exact = money / quantity if quantity else price * _HUNDRED / (_HUNDRED + tax_rate)
    return _round(exact, _PRICE_STEP)


def _round(exact: Decimal, step: Decimal) -> Decimal:
    # Added to nothing, a negative nothing loses its sign: no file says -0.00.
    return exact.quantize(step, ROUND_HALF_UP) + _NOTHING


def _clamp(tax: Decimal, amount: Decimal) -> Decimal:
    """Return the tax nearest to `tax` that a line of that amount can have."""
    return max(_NOTHING, min(tax, amount)) if amount >= 0 else min(_NOTHING, max(tax, amount))
