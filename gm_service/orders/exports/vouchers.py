"""Books orders as vouchers whose debits equal their credits.

One voucher an order: it can be traced back by the order number in its summary, a returned order stays a voucher of its
own, and memory holds one order at a time, which vouchers of a day and buyer would not allow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from gm_service.orders.exports.amounts import included_tax
from gm_service.orders.exports.rows import OrderDetail, VoucherEntry
from gm_service.orders.models import OrderStatus
from gm_service.yongyou import YongyouSettings

_NOTHING = Decimal("0.00")


class Unbalanced(ValueError):
    """A voucher's debits and credits differ: a fault of ours, never of an order's."""


class VoucherBook:
    """Numbers the vouchers of one file, from 1 in each month, as U8 does."""

    def __init__(self, settings: YongyouSettings) -> None:
        self._settings = settings
        self._last_numbers: Counter[tuple[int, int]] = Counter()

    def enter(self, lines: Sequence[OrderDetail]) -> list[VoucherEntry]:
        """Return the entries of an order's voucher, dated when the goods are received.

        Debit the receivable, credit revenue and output tax. Negative orders, which take goods back, are entered in red:
        on the same sides with negative amounts. Nothing is entered for an order that comes to nothing, nor for one that
        was cancelled before anything was sold (cancelled, with a positive amount).
        """
        total = sum((line.amount for line in lines), _NOTHING)
        if not total or (total > 0 and lines[0].status is OrderStatus.CANCELLED):
            return []
        entries = self._entries(lines[0], total, included_tax(total, self._settings.tax_rate))
        require_balance(entries)
        return entries

    def _entries(self, order: OrderDetail, total: Decimal, tax: Decimal) -> list[VoucherEntry]:
        day, accounts = order.receive_date, self._settings.accounts
        number = self._next_number(day)
        summary = f"{'销售' if total > 0 else '退货'} {order.order_no} {order.buyer_name}"
        sides = (
            (accounts.receivable, total, _NOTHING, order.buyer_code),
            (accounts.revenue, _NOTHING, total - tax, ""),
            (accounts.output_tax, _NOTHING, tax, ""),
        )
        return [
            VoucherEntry(day, number, summary, account, debit, credit, customer, self._settings)
            for account, debit, credit, customer in sides
            if debit or credit  # U8 refuses an entry without amount
        ]

    def _next_number(self, day: date) -> int:
        month = (day.year, day.month)
        self._last_numbers[month] += 1
        return self._last_numbers[month]


def require_balance(entries: Sequence[VoucherEntry]) -> None:
    """See that the debits of a voucher equal its credits.

    Raises:
        Unbalanced: they don't.
    """
    debit = sum((entry.debit for entry in entries), _NOTHING)
    credit = sum((entry.credit for entry in entries), _NOTHING)
    if debit != credit:
        raise Unbalanced(f"voucher {entries[0].day} {entries[0].number}: debit {debit}, credit {credit}")
