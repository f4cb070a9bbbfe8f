"""The demo's real orders."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, select

from gm_service.demo.load import FIRST_STATION, SECOND_STATION, demo_batch, load_demo_orders
from gm_service.orders import store
from gm_service.orders.exports.making import open_snapshot
from gm_service.orders.imports.creating import create_orders
from gm_service.orders.models import OrderStatus, order_line, orders
from gm_service.orders.query import OrderQuery, QueryType
from shared.database import in_read
from tests.support.order_rows import keep_import, make_run, order_numbers, outcomes_of


def test_demo_orders_are_all_there_once(orders_engine: Engine, zone: ZoneInfo) -> None:
    first = load_demo_orders(orders_engine, zone)
    second = load_demo_orders(orders_engine, zone)

    assert sum(first.values()) == 2025 and min(first.values()) > 50
    assert set(second.values()) == {0}
    assert in_read(orders_engine, lambda c: c.scalar(select(func.count()).select_from(order_line))) == 42_481
    assert not set(order_numbers(orders_engine, FIRST_STATION)) & set(order_numbers(orders_engine, SECOND_STATION))


def test_demo_orders_keep_what_the_file_says(orders_engine: Engine, zone: ZoneInfo) -> None:
    load_demo_orders(orders_engine, zone)

    by_number = {
        row.order_no: row
        for row in in_read(
            orders_engine, lambda c: c.execute(select(orders).where(orders.c.order_no.in_(["536365", "C536379"]))).all()
        )
    }
    invoice, cancelled = by_number["536365"], by_number["C536379"]
    assert invoice.order_time == datetime(2010, 12, 1, 0, 26)
    assert invoice.receive_date == date(2010, 12, 2)
    assert (invoice.buyer_code, invoice.area, invoice.line_count) == ("17850", "United Kingdom", 7)
    assert invoice.amount == Decimal("139.12")
    assert (cancelled.status, cancelled.amount) == (OrderStatus.CANCELLED, Decimal("-27.50"))


def test_demo_stations_have_orders_for_every_query_type(orders_engine: Engine, zone: ZoneInfo) -> None:
    load_demo_orders(orders_engine, zone)
    december = {"start_date": date(2010, 12, 1), "end_date": date(2010, 12, 31)}
    cycle = {
        "cycle_start_time": datetime(2010, 12, 1, 6, tzinfo=zone),
        "cycle_end_time": datetime(2010, 12, 31, 6, tzinfo=zone),
    }
    queries = [OrderQuery(QueryType.ORDER_DATE, **december), OrderQuery(QueryType.RECEIVE_DATE, **december)]
    for name in ("whole-day", "morning", "afternoon"):
        queries.append(OrderQuery(QueryType.OPERATING_CYCLE, time_config_id=name, **cycle))

    for station_id in (FIRST_STATION, SECOND_STATION):
        with open_snapshot(orders_engine) as connection:
            counts = [store.count_orders(connection, station_id, query, zone) for query in queries]
        assert min(counts) > 0 and sum(counts[2:]) == counts[0]


def test_demo_batch_has_good_rows_and_natural_faults(orders_engine: Engine, zone: ZoneInfo) -> None:
    rows = demo_batch(300, prefix="T")

    load_demo_orders(orders_engine, zone)
    import_id = keep_import(orders_engine, *rows)
    create_orders(orders_engine, make_run(import_id, limit=300), zone)

    failed = [outcome for outcome in outcomes_of(orders_engine, import_id) if outcome.code]
    assert 10 < len(failed) < 150
    assert {outcome.code for outcome in failed} == {"not_positive", "missing"}
    columns = {outcome.column.rpartition(".")[2] for outcome in failed if outcome.column}
    assert columns == {"quantity", "unit_price", "buyer_code"}


def test_demo_batch_goes_on_under_further_numbers() -> None:
    rows = demo_batch(2500)

    assert len({row["order_no"] for row in rows}) == 2500
