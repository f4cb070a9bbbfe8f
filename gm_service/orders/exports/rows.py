"""The rows that files are made of; the columns of a profile name their fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from gm_service.orders.exports.amounts import Amounts
from gm_service.orders.models import OrderStatus
from gm_service.yongyou import YongyouSettings


@dataclass(slots=True)  # not frozen: that alone would cost a tenth of the time of a big export
class OrderDetail:
    """An order's line with what it needs of its order; nobody changes it."""

    order_no: str
    order_time: datetime
    """in the station's zone, without offset, as a spreadsheet shows it"""
    receive_date: date
    cycle_name: str
    status: OrderStatus
    buyer_code: str
    buyer_name: str
    area: str
    line_no: int
    sku_code: str
    sku_name: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    """includes tax"""
    amount: Decimal
    """includes tax"""
    remark: str


class TaxedLine(NamedTuple):
    """An order's line with its tax told apart."""

    day: date
    """of the order, in the station's zone"""
    line: OrderDetail
    amounts: Amounts
    unit_price: Decimal
    """without tax"""
    settings: YongyouSettings


class VoucherEntry(NamedTuple):
    """One side's amount on one account; the entries of a voucher share date and number."""

    day: date
    number: int
    summary: str
    account: str
    debit: Decimal
    credit: Decimal
    """one of the two is 0; negative amounts are red ones, which take back"""
    customer: str
    """buyer code where the account is kept by customer, else empty"""
    settings: YongyouSettings


Row = OrderDetail | TaxedLine | VoucherEntry
