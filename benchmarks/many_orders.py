"""A database of as many order lines as wanted: the demo's real invoices again and again under further numbers."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from datetime import date
from itertools import count, islice
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection, Engine

from gm_service.demo.load import TIME_CONFIGS, Invoice, read_invoices, to_line, to_order
from gm_service.orders import store
from gm_service.orders.exports.making import iter_orders, open_snapshot
from gm_service.orders.exports.rows import OrderDetail
from gm_service.orders.query import ExportRequest, OrderQuery, QueryType
from shared.database import in_write

STATION = "S001"
ZONE = ZoneInfo("Asia/Shanghai")
EVERYTHING = ExportRequest(
    station_id=STATION,
    query=OrderQuery(QueryType.ORDER_DATE, start_date=date(2010, 12, 1), end_date=date(2010, 12, 31)),
    format="house",
    file_name="orders.xlsx",
    language="en",
)
_ORDERS_A_TRANSACTION = 500


def fill(engine: Engine, lines: int) -> int:
    """Store whole orders until there are `lines` lines; return how many lines there are."""
    in_write(engine, lambda connection: store.insert_time_configs(connection, STATION, TIME_CONFIGS))
    stored = 0
    orders = _iter_orders()
    while stored < lines:
        some = list(islice(orders, _ORDERS_A_TRANSACTION))
        stored += in_write(engine, lambda connection, some=some: _insert(connection, some))
    return stored


def spool(engine: Engine, path: Path) -> None:
    """Write the lines as an export has them to a file, an order after the other, in what XlsxWriter takes at once."""
    with open_snapshot(engine) as connection, path.open("wb") as file:
        for rows in iter_orders(connection, STATION, EVERYTHING.query, ZONE):
            pickle.dump([to_plain(row) for row in rows], file, pickle.HIGHEST_PROTOCOL)


def iter_spool(path: Path) -> Iterator[list[tuple]]:
    """Yield what `spool` wrote."""
    with path.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)
            except EOFError:
                return


def to_plain(row: OrderDetail) -> tuple:
    """Return a row of an export in what XlsxWriter takes at once."""
    return (
        row.order_no,
        row.order_time,
        row.receive_date,
        row.cycle_name,
        row.status.label("en"),
        row.buyer_code,
        row.buyer_name,
        row.area,
        row.line_no,
        row.sku_code,
        row.sku_name,
        float(row.quantity),
        row.unit,
        float(row.unit_price),
        float(row.amount),
        row.remark,
    )


def _iter_orders() -> Iterator[tuple[str, Invoice]]:
    invoices = list(read_invoices())
    return ((f"{turn}-{invoice.number}", invoice) for turn in count() for invoice in invoices)


def _insert(connection: Connection, orders: list[tuple[str, Invoice]]) -> int:
    lines = {number: [to_line(line) for line in invoice.lines] for number, invoice in orders}
    rows = [{**to_order(invoice, lines[number], ZONE), "order_no": number} for number, invoice in orders]
    store.insert_orders(connection, STATION, rows, lines)
    return sum(map(len, lines.values()))
