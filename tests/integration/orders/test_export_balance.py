"""On a month of real orders, returns and free lines included, every format says the same amounts to the cent."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from gm_service.demo.load import load_demo_orders
from gm_service.orders.exports.making import export_to_file
from gm_service.orders.query import ExportRequest, OrderQuery, QueryType
from tests.support.order_rows import STATION

MONTH = OrderQuery(QueryType.ORDER_DATE, start_date=date(2010, 12, 1), end_date=date(2010, 12, 31))
CENT = Decimal("0.01")
RATE = Decimal(13)


def test_formats_agree_on_real_orders(orders_engine: Engine, zone: ZoneInfo, tmp_path: Path) -> None:
    load_demo_orders(orders_engine, zone)
    files = {
        name: export_to_file(
            orders_engine, ExportRequest(STATION, MONTH, name, "x", "en"), zone, directory=tmp_path, name=name
        ).path.read_bytes()
        for name in ("house_csv", "yongyou_xml", "yongyou_voucher")
    }

    totals, grand_total = read_house_csv(files["house_csv"])
    taxes = {order_no: to_cents(total * RATE / (100 + RATE)) for order_no, total in totals.items()}
    assert len(totals) > 1_000
    assert any(total < 0 for total in totals.values())
    assert read_sales_orders(files["yongyou_xml"]) == {number: (totals[number], taxes[number]) for number in totals}
    vouchers = read_vouchers(files["yongyou_voucher"])
    assert all(debit == credit for debit, credit in vouchers)
    assert sum(debit for debit, _credit in vouchers) == grand_total == sum(totals.values())


def read_house_csv(content: bytes) -> tuple[dict[str, Decimal], Decimal]:
    """Return the orders' totals by their numbers, and what the last line says."""
    titles, *rows, last = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    number, amount = titles.index("Order number"), titles.index("Amount")
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        totals[row[number]] += Decimal(row[amount])
    return dict(totals), Decimal(last[amount])


def read_sales_orders(content: bytes) -> dict[str, tuple[Decimal, Decimal]]:
    """Return the sum and the tax of each sales order, whose lines must each balance."""
    found = {}
    for document in ElementTree.fromstring(content):
        lines = [
            {name: Decimal(entry.findtext(name, "")) for name in ("quantity", "unitprice", "money", "tax", "sum")}
            for entry in document.iter("entry")
        ]
        assert all(line["money"] + line["tax"] == line["sum"] for line in lines)
        assert all(to_cents(line["unitprice"] * line["quantity"]) == line["money"] for line in lines)
        found[document.findtext("header/code", "")] = (
            sum((line["sum"] for line in lines), Decimal(0)),
            sum((line["tax"] for line in lines), Decimal(0)),
        )
    return found


def read_vouchers(content: bytes) -> list[list[Decimal]]:
    """Return the debits and credits of each voucher."""
    sides: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for line in content.decode("gbk").splitlines()[1:]:
        day, _kind, number, _papers, _summary, _account, debit, credit, *_rest = line.split(",")
        sides[day, number][0] += Decimal(debit)
        sides[day, number][1] += Decimal(credit)
    return list(sides.values())


def to_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
