"""Loads the demo stations with real orders (`python -m gm_service.demo`) and makes import batches of the same ones."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.engine import Connection, Engine

from gm_service.orders import store
from gm_service.orders.imports.catalogue import Entry, Kind, put_entries
from gm_service.orders.imports.validation import round_amount
from gm_service.orders.models import OrderStatus, TimeConfig
from gm_service.orders.policy import derive_receive_date, falls_into
from shared.database import in_write, make_engine, to_utc

log = structlog.get_logger(__name__)

CSV_FILE = Path(__file__).parent / "online-retail-2010-12.csv.gz"
FIRST_STATION, SECOND_STATION = "S001", "S002"
SECOND_STATION_COUNTRIES = frozenset({"EIRE", "Germany", "France"})
WHOLE_DAY_COUNTRIES = frozenset({"United Kingdom", "EIRE"})
WHOLE_DAY = TimeConfig("whole-day", "Whole day / 全天", "06:00", "06:00")
MORNING = TimeConfig("morning", "Morning / 上午", "06:00", "12:00")
AFTERNOON = TimeConfig("afternoon", "Afternoon / 下午", "12:00", "06:00")
TIME_CONFIGS = (WHOLE_DAY, MORNING, AFTERNOON)
UNIT = "pcs"
_LAST_DELIVERED, _LAST_CONFIRMED = date(2010, 12, 20), date(2010, 12, 22)


@dataclass(frozen=True, slots=True)
class Invoice:
    """The lines that share an invoice number, as the file has them."""

    number: str
    lines: list[dict[str, str]]

    @property
    def time(self) -> datetime:
        """When it was written, without offset."""
        return datetime.fromisoformat(self.lines[0]["InvoiceDate"])

    @property
    def country(self) -> str:
        """Where it goes."""
        return self.lines[0]["Country"]

    @property
    def customer(self) -> str:
        """The customer's id, empty where it isn't known; the file writes it as 17850.0."""
        return self.lines[0]["CustomerID"].removesuffix(".0")


def load_demo_orders(engine: Engine, zone: ZoneInfo) -> dict[str, int]:
    """Give the demo stations operating cycles, lists of goods and buyers, and orders; return how many orders each got.

    What is there already is left as it is, so a second call adds nothing.
    """
    invoices = list(read_invoices())
    stations = {
        FIRST_STATION: [each for each in invoices if each.country not in SECOND_STATION_COUNTRIES],
        SECOND_STATION: [each for each in invoices if each.country in SECOND_STATION_COUNTRIES],
    }
    for station_id in stations:
        _load_lists(engine, station_id, invoices)
    return {station_id: _load_station(engine, zone, station_id, mine) for station_id, mine in stations.items()}


def demo_batch(rows: int, prefix: str = "D") -> list[dict[str, Any]]:
    """Return order_data of `rows` real orders, whose numbers begin with `prefix`: a batch to import.

    Their natural faults are in: cancelled invoices have negative quantities, some lines a price of zero. Where
    there are more rows than invoices, the invoices come again under further numbers.
    """
    invoices = list(read_invoices())
    rounds = range(-(-rows // len(invoices)))
    batch = (_to_row(invoice, f"{prefix}{turn}-{invoice.number}") for turn in rounds for invoice in invoices)
    return list(islice(batch, rows))


def read_invoices(path: Path = CSV_FILE) -> Iterator[Invoice]:
    """Yield the file's invoices in the order of their first lines."""
    invoices: dict[str, list[dict[str, str]]] = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            invoices.setdefault(line["InvoiceNo"], []).append(line)
    yield from (Invoice(number, lines) for number, lines in invoices.items())


def _load_lists(engine: Engine, station_id: str, invoices: Sequence[Invoice]) -> None:
    goods, buyers = _list_goods(invoices), _list_buyers(invoices)
    in_write(engine, lambda connection: put_entries(connection, station_id, Kind.SKU, goods))
    in_write(engine, lambda connection: put_entries(connection, station_id, Kind.BUYER, buyers))


def _load_station(engine: Engine, zone: ZoneInfo, station_id: str, invoices: Sequence[Invoice]) -> int:
    def load(connection: Connection) -> int:
        store.insert_time_configs(connection, station_id, TIME_CONFIGS)
        known = store.find_order_ids(connection, station_id, (invoice.number for invoice in invoices))
        new = [invoice for invoice in invoices if invoice.number not in known]
        lines = {invoice.number: [to_line(line) for line in invoice.lines] for invoice in new}
        orders = [to_order(invoice, lines[invoice.number], zone) for invoice in new]
        return len(store.insert_orders(connection, station_id, orders, lines))

    return in_write(engine, load)


def _list_goods(invoices: Sequence[Invoice]) -> list[Entry]:
    """Return the goods by the longest description that the file has of each."""
    names: dict[str, str] = {}
    for line in (line for invoice in invoices for line in invoice.lines):
        names[line["StockCode"]] = max(names.get(line["StockCode"], ""), line["Description"].strip(), key=len)
    return [Entry(code, name, UNIT) for code, name in names.items()]


def _list_buyers(invoices: Sequence[Invoice]) -> list[Entry]:
    names = {invoice.customer: _buyer_name(invoice) for invoice in invoices if invoice.customer}
    return [Entry(code, name) for code, name in names.items()]


def to_order(invoice: Invoice, lines: Sequence[dict[str, Any]], zone: ZoneInfo) -> dict[str, Any]:
    cycle = _cycle_of(invoice)
    return {
        "order_no": invoice.number,
        "order_time": to_utc(invoice.time, zone),
        "receive_date": derive_receive_date(invoice.time, cycle.start_time),
        "time_config_id": cycle.id,
        "status": int(_status_of(invoice)),
        "buyer_code": invoice.customer,
        "buyer_name": _buyer_name(invoice),
        "area": invoice.country,
        "remark": "",
        "line_count": len(lines),
        "amount": sum((line["amount"] for line in lines), Decimal(0)),
    }


def to_line(line: dict[str, str]) -> dict[str, Any]:
    quantity, unit_price = Decimal(line["Quantity"]), Decimal(line["UnitPrice"])
    return {
        "sku_code": line["StockCode"],
        "sku_name": line["Description"].strip(),
        "unit": UNIT,
        "quantity": quantity,
        "unit_price": unit_price,
        "amount": round_amount(quantity * unit_price),
    }


def _to_row(invoice: Invoice, order_no: str) -> dict[str, Any]:
    return {
        "order_no": order_no,
        "order_time": invoice.lines[0]["InvoiceDate"],
        "buyer_code": invoice.customer,
        "buyer_name": _buyer_name(invoice),
        "area": invoice.country,
        "lines": [
            {
                "sku": line["StockCode"],
                "sku_name": line["Description"].strip(),
                "unit": UNIT,
                "quantity": int(line["Quantity"]),
                "unit_price": float(line["UnitPrice"]),
            }
            for line in invoice.lines
        ],
    }


def _buyer_name(invoice: Invoice) -> str:
    return f"Customer {invoice.customer}" if invoice.customer else ""


def _cycle_of(invoice: Invoice) -> TimeConfig:
    if invoice.country in WHOLE_DAY_COUNTRIES:
        return WHOLE_DAY
    in_morning = falls_into(invoice.time.time(), MORNING.start_time, MORNING.end_time)
    return MORNING if in_morning else AFTERNOON


def _status_of(invoice: Invoice) -> OrderStatus:
    if invoice.number.startswith("C"):
        return OrderStatus.CANCELLED
    if invoice.time.date() <= _LAST_DELIVERED:
        return OrderStatus.DELIVERED
    return OrderStatus.CONFIRMED if invoice.time.date() <= _LAST_CONFIRMED else OrderStatus.SUBMITTED


def main() -> None:
    """Load the configured database (GM_SERVICE_DATABASE_URL, GM_TIMEZONE)."""
    engine = make_engine(os.environ["GM_SERVICE_DATABASE_URL"])
    counts = load_demo_orders(engine, ZoneInfo(os.environ.get("GM_TIMEZONE", "Asia/Shanghai")))
    log.info("demo_orders_loaded", added=counts)
