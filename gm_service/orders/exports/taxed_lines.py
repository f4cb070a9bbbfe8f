"""Tells the tax in an order's lines apart, so that they balance with their order."""

from __future__ import annotations

from collections.abc import Sequence

from gm_service.orders.exports.amounts import price_without_tax, split_tax
from gm_service.orders.exports.rows import OrderDetail, TaxedLine
from gm_service.yongyou import YongyouSettings


def to_taxed_lines(lines: Sequence[OrderDetail], settings: YongyouSettings) -> list[TaxedLine]:
    """Return all lines of one order with their tax told apart."""
    if not lines:
        return []
    rate, day = settings.tax_rate, lines[0].order_time.date()
    return [
        TaxedLine(day, line, amounts, price_without_tax(amounts.money, line.quantity, line.unit_price, rate), settings)
        for line, amounts in zip(lines, split_tax([line.amount for line in lines], rate), strict=True)
    ]
