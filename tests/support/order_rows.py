"""Builders of orders: as rows of an import, and as they stand in the database."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection, Engine

from gm_service.orders import store
from gm_service.orders.imports import ledger, rows
from gm_service.orders.imports.commands import CreateOrders
from gm_service.orders.models import OrderStatus, TimeConfig, orders
from shared.database import in_read, in_write

STATION = "S001"
OTHER_STATION = "S002"
CYCLE = TimeConfig("whole-day", "Whole day", "06:00", "06:00")


def make_row(**changes: Any) -> dict[str, Any]:
    """Return a good row of an import."""
    row = {
        "order_no": "A-1",
        "order_time": "2010-12-01 08:26:00",
        "sku": "85123A",
        "sku_name": "WHITE LANTERN",
        "unit": "pcs",
        "quantity": 6,
        "unit_price": 2.55,
    }
    return {name: value for name, value in {**row, **changes}.items() if value is not ...}


def keep_import(
    engine: Engine, *submitted: Any, task_id: int | None = 7, station_id: str = STATION, submission: str | None = None
) -> int:
    """Enter an import with these orders as waiting rows; return its id."""

    def keep(connection: Connection) -> int:
        import_id = ledger.insert_import(
            connection,
            station_id=station_id,
            submission=submission,
            task_id=task_id,
            time_config_id=CYCLE.id,
            file_name="orders.xlsx",
            sha256="0" * 64,
            total=len(submitted),
            titles=None,
        )
        rows.insert_rows(connection, import_id, [rows.SubmittedRow(order) for order in submitted])
        return import_id

    return in_write(engine, keep)


def make_run(import_id: int, **changes: Any) -> CreateOrders:
    """Return what a worker's run asks for."""
    run = {"import_id": import_id, "task_id": 7, "run_count": 1, "station_id": STATION, "limit": 100}
    return CreateOrders.model_validate({**run, **changes})


def outcomes_of(engine: Engine, import_id: int) -> list[rows.RowOutcome]:
    """Return what the ledger has of every row."""
    return in_read(engine, lambda connection: rows.list_outcomes(connection, import_id))


def states_of(engine: Engine, import_id: int) -> list[str]:
    """Return each row's state, of failed ones the code."""
    return [outcome.code or outcome.state.name.lower() for outcome in outcomes_of(engine, import_id)]


def make_order(order_no: str = "A-1", **changes: Any) -> dict[str, Any]:
    """Return the columns of an order as `store.insert_orders` takes them; order_time is UTC."""
    return {
        "order_no": order_no,
        "order_time": datetime(2010, 12, 1, 0, 26),
        "receive_date": date(2010, 12, 2),
        "time_config_id": CYCLE.id,
        "status": int(OrderStatus.CONFIRMED),
        "buyer_code": "17850",
        "buyer_name": "Customer 17850",
        "area": "United Kingdom",
        "remark": "",
        "line_count": 1,
        "amount": Decimal("15.30"),
        **changes,
    }


def make_line(**changes: Any) -> dict[str, Any]:
    """Return the columns of a line."""
    return {
        "sku_code": "85123A",
        "sku_name": "WHITE LANTERN",
        "unit": "pcs",
        "quantity": Decimal(6),
        "unit_price": Decimal("2.55"),
        "amount": Decimal("15.30"),
        **changes,
    }


def insert(engine: Engine, *new: dict[str, Any], station_id: str = STATION, lines: Any = None) -> None:
    """Store orders, each with one line, or with `lines` by order number."""
    lines = lines or {row["order_no"]: [make_line()] for row in new}
    in_write(engine, lambda connection: store.insert_orders(connection, station_id, new, lines))


def order_numbers(engine: Engine, station_id: str = STATION) -> list[str]:
    """Return the station's order numbers, in the order they were stored."""

    def read(connection: Connection) -> list[str]:
        statement = select(orders.c.order_no).where(orders.c.station_id == station_id).order_by(orders.c.id)
        return list(connection.scalars(statement))

    return in_read(engine, read)
