"""SQL of orders and operating cycles; it knows columns, not rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, or_, select
from sqlalchemy.engine import Connection

from gm_service.orders.models import (
    Order,
    OrderLine,
    OrderStatus,
    TimeConfig,
    order_line,
    orders,
    time_config,
)
from gm_service.orders.query import OrderQuery, QueryType
from shared.database import DatabaseClock, to_utc

ORDERS_A_PAGE = 500
_NAMES_A_QUERY = 500

_ORDER_COLUMNS = (
    orders.c.id,
    orders.c.order_no,
    orders.c.order_time,
    orders.c.receive_date,
    orders.c.time_config_id,
    orders.c.status,
    orders.c.buyer_code,
    orders.c.buyer_name,
    orders.c.area,
    orders.c.remark,
    orders.c.line_count,
)
_LINE_COLUMNS = (
    order_line.c.order_id,
    order_line.c.line_no,
    order_line.c.sku_code,
    order_line.c.sku_name,
    order_line.c.unit,
    order_line.c.quantity,
    order_line.c.unit_price,
    order_line.c.amount,
)


def count_orders(
    connection: Connection, station_id: str, query: OrderQuery, zone: ZoneInfo, limit: int | None = None
) -> int:
    """Return how many orders match, counting no further than `limit`."""
    matching = select(orders.c.id).where(*_conditions(station_id, query, zone)).limit(limit).subquery()
    return connection.execute(select(func.count()).select_from(matching)).scalar_one()


def iter_order_pages(
    connection: Connection, station_id: str, query: OrderQuery, zone: ZoneInfo, page_size: int = ORDERS_A_PAGE
) -> Iterator[list[Order]]:
    """Yield the matching orders page by page, each page continuing after the last order of the one before.

    Sorted by order time, then id; a query by receive date by that first, as its index is.
    """
    statement = page_statement(station_id, query, zone, page_size)
    page = _orders(connection, statement)
    while page:
        yield page
        if len(page) < page_size:
            return
        page = _orders(connection, statement.where(_after(page[-1], query.query_type)))


def page_statement(station_id: str, query: OrderQuery, zone: ZoneInfo, page_size: int) -> Select[Any]:
    """Return the query of the first page, made so that an index yields it sorted."""
    by_receive_date = query.query_type is QueryType.RECEIVE_DATE
    sorting = (orders.c.receive_date,) if by_receive_date else ()
    return (
        select(*_ORDER_COLUMNS)
        .where(*_conditions(station_id, query, zone))
        .order_by(*sorting, orders.c.order_time, orders.c.id)
        .limit(page_size)
    )


def list_lines(connection: Connection, order_ids: Sequence[int]) -> dict[int, list[OrderLine]]:
    """Return the lines of these orders by order id, sorted by line number; an order without lines isn't in it."""
    statement = (
        select(*_LINE_COLUMNS)
        .where(order_line.c.order_id.in_(order_ids))
        .order_by(order_line.c.order_id, order_line.c.line_no)
    )
    rows = map(OrderLine._make, connection.execute(statement))
    return {order_id: list(lines) for order_id, lines in groupby(rows, key=itemgetter(0))}


def list_time_configs(connection: Connection, station_id: str) -> list[TimeConfig]:
    """Return the station's operating cycles."""
    statement = (
        select(time_config.c.id, time_config.c.name, time_config.c.start_time, time_config.c.end_time)
        .where(time_config.c.station_id == station_id)
        .order_by(time_config.c.id)
    )
    return [TimeConfig(*row) for row in connection.execute(statement)]


def find_time_config(connection: Connection, station_id: str, time_config_id: str) -> TimeConfig | None:
    """Return one of the station's operating cycles."""
    found = (each for each in list_time_configs(connection, station_id) if each.id == time_config_id)
    return next(found, None)


def find_order_ids(connection: Connection, station_id: str, order_numbers: Iterable[str]) -> dict[str, int]:
    """Return the ids of those order numbers that the station has already."""
    columns = (orders.c.order_no, orders.c.id)
    return {row.order_no: row.id for row in _iter_by_number(connection, station_id, order_numbers, columns)}


def find_origins(
    connection: Connection, station_id: str, order_numbers: Iterable[str]
) -> dict[str, tuple[int | None, int | None]]:
    """Return task id and row index (None each where no import made it) of those orders that the station has."""
    columns = (orders.c.order_no, orders.c.task_id, orders.c.row_index)
    found = _iter_by_number(connection, station_id, order_numbers, columns)
    return {row.order_no: (row.task_id, row.row_index) for row in found}


def insert_orders(
    connection: Connection,
    station_id: str,
    rows: Sequence[dict[str, Any]],
    lines: dict[str, list[dict[str, Any]]],
) -> dict[str, int]:
    """Insert orders with their `lines` (by order number) and return the new ids by order number.

    The ids are read back: MySQL has no RETURNING.

    Raises:
        IntegrityError: an order number, or a task's row, exists already.
    """
    if not rows:
        return {}
    now = connection.execute(select(DatabaseClock().now())).scalar_one()
    common = {"station_id": station_id, "created_at": _to_datetime(now)}
    connection.execute(insert(orders), [{"task_id": None, "row_index": None, **row, **common} for row in rows])
    ids = find_order_ids(connection, station_id, (row["order_no"] for row in rows))
    new_lines = [
        {"order_id": ids[order_no], "line_no": place, **line}
        for order_no, some in lines.items()
        for place, line in enumerate(some, start=1)
    ]
    connection.execute(insert(order_line), new_lines)
    return ids


def insert_time_configs(connection: Connection, station_id: str, configs: Sequence[TimeConfig]) -> None:
    """Insert those operating cycles that the station lacks."""
    known = {config.id for config in list_time_configs(connection, station_id)}
    missing = [
        {
            "station_id": station_id,
            "id": config.id,
            "name": config.name,
            "start_time": config.start_time,
            "end_time": config.end_time,
        }
        for config in configs
        if config.id not in known
    ]
    if missing:
        connection.execute(insert(time_config), missing)


def _iter_by_number(
    connection: Connection, station_id: str, order_numbers: Iterable[str], columns: Sequence[ColumnElement[Any]]
) -> Iterator[Row[Any]]:
    wanted = list(order_numbers)
    for start in range(0, len(wanted), _NAMES_A_QUERY):
        some = wanted[start : start + _NAMES_A_QUERY]
        yield from connection.execute(
            select(*columns).where(orders.c.station_id == station_id, orders.c.order_no.in_(some))
        )


def _orders(connection: Connection, statement: Any) -> list[Order]:
    rows = (row._asdict() for row in connection.execute(statement))
    return [Order(**{**row, "status": OrderStatus(row["status"])}) for row in rows]


def _conditions(station_id: str, query: OrderQuery, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    conditions = [orders.c.station_id == station_id, *_range(query, zone)]
    if query.status is not None:
        conditions.append(orders.c.status == query.status)
    if query.search_area is not None:
        conditions.append(orders.c.area == query.search_area)
    if query.task_id is not None:
        conditions.append(orders.c.task_id == query.task_id)
    if query.search_text is not None:
        conditions.append(_has_text(query.search_text))
    return conditions


def _range(query: OrderQuery, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    if query.query_type is QueryType.ORDER_DATE:
        assert query.start_date and query.end_date  # noqa: S101 the command saw to it
        first = to_utc(datetime.combine(query.start_date, time.min), zone)
        behind = to_utc(datetime.combine(query.end_date + timedelta(days=1), time.min), zone)
        return [orders.c.order_time >= first, orders.c.order_time < behind]
    if query.query_type is QueryType.OPERATING_CYCLE:
        assert query.cycle_start_time and query.cycle_end_time  # noqa: S101
        return [
            orders.c.time_config_id == query.time_config_id,
            orders.c.order_time >= to_utc(query.cycle_start_time, zone),
            orders.c.order_time < to_utc(query.cycle_end_time, zone),
        ]
    return [orders.c.receive_date >= query.start_date, orders.c.receive_date <= query.end_date]


def _has_text(text: str) -> ColumnElement[bool]:
    """Match a part of a text in either case; `%` and `_` stand for themselves."""
    line_has_it = (
        select(order_line.c.order_id)
        .where(
            order_line.c.order_id == orders.c.id,
            or_(
                order_line.c.sku_code.icontains(text, autoescape=True),
                order_line.c.sku_name.icontains(text, autoescape=True),
            ),
        )
        .exists()
    )
    columns = (orders.c.order_no, orders.c.buyer_code, orders.c.buyer_name)
    return or_(*(column.icontains(text, autoescape=True) for column in columns), line_has_it)


def _after(last: Order, query_type: QueryType) -> ColumnElement[bool]:
    # Not (a, b) > (x, y): MySQL reads no index range out of that; the leading >= gives it one.
    later = or_(
        orders.c.order_time > last.order_time, and_(orders.c.order_time == last.order_time, orders.c.id > last.id)
    )
    if query_type is QueryType.RECEIVE_DATE:
        same_day = and_(orders.c.receive_date == last.receive_date, later)
        return and_(
            orders.c.receive_date >= last.receive_date, or_(orders.c.receive_date > last.receive_date, same_day)
        )
    return and_(orders.c.order_time >= last.order_time, later)


def _to_datetime(moment: Any) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)
