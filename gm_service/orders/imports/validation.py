"""Says of one submitted row whether it is an order; the rules are tables, so that a new column is one line.

Pure: duplicates, which need the database, are for `judging`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from gm_service.orders.imports.row_reasons import (
    DISAGREEMENT,
    RowError,
    RowRefused,
    refuse,
    refuse_disagreement,
    shown,
)
from gm_service.orders.imports.row_values import NumberColumn, TextColumn, read_day, read_moment, read_number, read_text
from gm_service.orders.models import AMOUNT_SCALE, PRICE_SCALE, QUANTITY_SCALE, TimeConfig
from gm_service.orders.policy import derive_receive_date, falls_into

MAX_LINES = 1000
MAX_AMOUNT = Decimal(10**13)
"""an order's amount stays below: with cents these are the 15 digits that a spreadsheet keeps"""
ORDER_TEXTS = (
    TextColumn("order_no", 64, required=True),
    TextColumn("buyer_code", 64),
    TextColumn("buyer_name", 128),
    TextColumn("area", 64),
    TextColumn("remark", 500, has_lines=True),
)
LINE_TEXTS = (
    TextColumn("sku", 64, required=True),
    TextColumn("sku_name", 255),
    TextColumn("unit", 16),
)
LINE_NUMBERS = (NumberColumn("quantity", QUANTITY_SCALE), NumberColumn("unit_price", PRICE_SCALE))
ORDER_COLUMNS = frozenset(column.name for column in ORDER_TEXTS) | {"order_time", "receive_date"}
LINE_COLUMNS = frozenset(column.name for column in (*LINE_TEXTS, *LINE_NUMBERS))


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line that keeps every rule."""

    sku_code: str
    sku_name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal

    @property
    def amount(self) -> Decimal:
        """Quantity times price, rounded half up to the cent."""
        return round_amount(self.quantity * self.unit_price)


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order that keeps every rule which needs no database."""

    order_no: str
    order_time: datetime
    """UTC without offset"""
    receive_date: date
    buyer_code: str
    buyer_name: str
    area: str
    remark: str
    lines: tuple[NewLine, ...]

    @property
    def amount(self) -> Decimal:
        """The sum of the lines' amounts."""
        return sum((line.amount for line in self.lines), Decimal(0))


def check_order(row: Any, zone: ZoneInfo, cycle: TimeConfig) -> NewOrder | RowError:
    """Return the order that a submitted row describes, or the first thing that is wrong with it.

    `row` is any JSON value; times without offset are read in `zone`; the order's time must fall into `cycle`, from
    which a receive date that isn't given is derived. Never raises.
    """
    try:
        return _read_order(row, zone, cycle)
    except RowRefused as refused:
        return refused.error


def round_amount(value: Decimal) -> Decimal:
    """Round half up to the cent, as invoices do."""
    return value.quantize(Decimal(1).scaleb(-AMOUNT_SCALE), rounding=ROUND_HALF_UP)


def _read_order(row: Any, zone: ZoneInfo, cycle: TimeConfig) -> NewOrder:
    if not isinstance(row, dict):
        raise refuse("not_an_object", "row", row)
    if DISAGREEMENT in row:
        raise refuse_disagreement(row[DISAGREEMENT])
    _refuse_unknown(row, ORDER_COLUMNS | LINE_COLUMNS | {"lines"}, "")
    texts = {column.name: read_text(column, row, "") for column in ORDER_TEXTS}
    order_time = read_moment("order_time", row.get("order_time"), zone)
    local_time = _to_local(order_time, zone)
    _check_window(row["order_time"], local_time, cycle)
    receive_date = _read_receive_date(row, local_time, cycle)
    lines = tuple(_read_line(line, prefix) for line, prefix in _lines_of(row))
    order = NewOrder(
        order_time=order_time,
        receive_date=receive_date,
        lines=lines,
        **texts,
    )
    if order.amount >= MAX_AMOUNT:
        raise refuse("too_large", "amount", str(order.amount), MAX_AMOUNT)
    return order


def _check_window(given: Any, local_time: datetime, cycle: TimeConfig) -> None:
    if not falls_into(local_time.time(), cycle.start_time, cycle.end_time):
        window = f"{cycle.name} {cycle.start_time}-{cycle.end_time}"
        raise refuse("outside_cycle", "order_time", given, window)


def _read_receive_date(row: dict[str, Any], local_time: datetime, cycle: TimeConfig) -> date:
    given = read_day("receive_date", row.get("receive_date"))
    if given is None:
        return derive_receive_date(local_time, cycle.start_time)
    if given < local_time.date():
        raise refuse("before_order", "receive_date", row["receive_date"], local_time.date())
    return given


def _lines_of(row: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Return each line with what stands before its columns' names in a reason."""
    if row.get("lines") is None:
        return [({name: value for name, value in row.items() if name in LINE_COLUMNS}, "")]
    for name in sorted(name for name in LINE_COLUMNS if row.get(name) is not None):
        raise refuse("lines_twice", name, row[name])
    lines = row["lines"]
    if not isinstance(lines, list) or not 1 <= len(lines) <= MAX_LINES:
        raise refuse("bad_lines", "lines", lines, MAX_LINES)
    return [(line, f"lines[{place}].") for place, line in enumerate(lines)]


def _read_line(line: Any, prefix: str) -> NewLine:
    if not isinstance(line, dict):
        raise refuse("not_an_object", prefix.rstrip("."), line)
    _refuse_unknown(line, LINE_COLUMNS, prefix)
    texts = {column.name: read_text(column, line, prefix) for column in LINE_TEXTS}
    numbers = {column.name: read_number(column, line.get(column.name), prefix) for column in LINE_NUMBERS}
    read = NewLine(sku_code=texts["sku"], sku_name=texts["sku_name"], unit=texts["unit"], **numbers)
    if not read.amount:
        raise refuse("worth_nothing", prefix + "amount", f"{read.quantity:f} × {read.unit_price:f}")
    return read


def _refuse_unknown(row: dict[str, Any], known: frozenset[str], prefix: str) -> None:
    for name, value in row.items():
        if name not in known:
            raise refuse("unknown_column", prefix + shown(name)[: 64 - len(prefix)], value)


def _to_local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone(zone)
