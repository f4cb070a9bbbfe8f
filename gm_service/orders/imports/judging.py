"""Says of rows whether they may become orders: each by itself, by the station's lists, and among its other orders.

Pre-flight, run and amendment ask here, so that their verdicts agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from gm_service.orders import store
from gm_service.orders.imports.catalogue import Entry, Kind, find_entries
from gm_service.orders.imports.row_reasons import RowError, row_error
from gm_service.orders.imports.validation import NewLine, NewOrder, check_order
from gm_service.orders.models import TimeConfig

Verdict = NewOrder | RowError


@dataclass(frozen=True, slots=True)
class Scope:
    """What rows are judged by."""

    station_id: str
    cycle: TimeConfig
    zone: ZoneInfo
    task_id: int | None = None
    """the import that the rows belong to; None before there is one"""


def judge_rows(connection: Connection, scope: Scope, rows: dict[int, Any]) -> dict[int, Verdict]:
    """Return the order or the first thing wrong with each row, by index; of equal numbers the lowest index wins."""
    verdicts: dict[int, Verdict] = {
        index: check_order(row, scope.zone, scope.cycle) for index, row in sorted(rows.items())
    }
    verdicts |= _look_up(connection, scope, rows, verdicts)
    return verdicts | _find_duplicates(connection, scope, verdicts)


def _look_up(
    connection: Connection, scope: Scope, rows: dict[int, Any], verdicts: dict[int, Verdict]
) -> dict[int, Verdict]:
    """Hold the rows against the station's lists of goods and buyers, where it keeps them."""
    accepted = dict(_accepted(verdicts))
    goods = find_entries(
        connection, scope.station_id, Kind.SKU, (line.sku_code for order in accepted.values() for line in order.lines)
    )
    buyers = find_entries(connection, scope.station_id, Kind.BUYER, (order.buyer_code for order in accepted.values()))
    return {
        index: _hold_against(order, goods, buyers, is_flat=rows[index].get("lines") is None)
        for index, order in accepted.items()
    }


def _hold_against(
    order: NewOrder, goods: dict[str, Entry] | None, buyers: dict[str, Entry] | None, *, is_flat: bool
) -> Verdict:
    if buyers is not None:
        if not order.buyer_code:
            return row_error("missing", "buyer_code", None)
        if order.buyer_code not in buyers:
            return row_error("unknown_buyer", "buyer_code", order.buyer_code)
        order = replace(order, buyer_name=order.buyer_name or buyers[order.buyer_code].name[:128])
    if goods is None:
        return order
    for place, line in enumerate(order.lines):
        if line.sku_code not in goods:
            return row_error("unknown_sku", "sku" if is_flat else f"lines[{place}].sku", line.sku_code)
    return replace(order, lines=tuple(_complete(line, goods[line.sku_code]) for line in order.lines))


def _complete(line: NewLine, entry: Entry) -> NewLine:
    """Take from the list what the line leaves open."""
    if line.sku_name and line.unit:
        return line
    return replace(line, sku_name=line.sku_name or entry.name, unit=line.unit or entry.unit)


def _find_duplicates(connection: Connection, scope: Scope, verdicts: dict[int, Verdict]) -> dict[int, RowError]:
    """Return the rows whose order number a lower row of the import, or another order of the station, has."""
    numbers = {index: order.order_no for index, order in _accepted(verdicts)}
    stored = store.find_origins(connection, scope.station_id, numbers.values())
    ours = scope.task_id
    taken = {number: row if ours is not None and task == ours else None for number, (task, row) in stored.items()}
    duplicates: dict[int, RowError] = {}
    for index, number in numbers.items():
        if number in taken:
            duplicates[index] = _duplicate(number, taken[number])
        else:
            taken[number] = index
    return duplicates


def _duplicate(order_no: str, index: int | None) -> RowError:
    """Say who has the number: the import's own row `index`, or an order from elsewhere."""
    if index is None:
        return row_error("duplicate_order_no", "order_no", order_no)
    return row_error("duplicate_in_batch", "order_no", order_no, index + 1)


def _accepted(verdicts: dict[int, Verdict]) -> Iterator[tuple[int, NewOrder]]:
    return ((index, verdict) for index, verdict in verdicts.items() if isinstance(verdict, NewOrder))
