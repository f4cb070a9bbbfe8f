"""Attempts rows of an import inside the caller's transaction, and enters in the ledger what became of each."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection

from gm_service.orders import store
from gm_service.orders.imports import ledger, rows
from gm_service.orders.imports.judging import Scope, Verdict
from gm_service.orders.imports.models import RowState
from gm_service.orders.imports.row_reasons import RowError
from gm_service.orders.imports.rows import RowOutcome
from gm_service.orders.imports.validation import NewOrder
from gm_service.orders.models import OrderStatus


def enter_verdicts(connection: Connection, import_id: int, scope: Scope, verdicts: dict[int, Verdict]) -> int:
    """Create the orders of accepted rows, by index, and note why the others failed; return how many were created.

    The import is locked, and none of the rows is created yet.

    Raises:
        IntegrityError: another transaction took an order number in between; judged again, the row is a duplicate.
    """
    if not verdicts:
        return 0
    assert scope.task_id is not None  # noqa: S101 only an import that has a task attempts rows
    accepted = {index: verdict for index, verdict in verdicts.items() if isinstance(verdict, NewOrder)}
    store.insert_orders(
        connection,
        scope.station_id,
        [order_row(order, scope, index) for index, order in accepted.items()],
        {order.order_no: line_rows(order) for order in accepted.values()},
    )
    version = ledger.raise_version(connection, import_id)
    rows.mark_created(connection, import_id, scope.task_id, list(accepted), version)
    failed = [failure(index, verdict) for index, verdict in verdicts.items() if isinstance(verdict, RowError)]
    rows.mark_failed(connection, import_id, failed, version)
    return len(accepted)


def failure(index: int, error: RowError, sheet_row: int | None = None) -> RowOutcome:
    """Return a row that became no order, as the ledger has it."""
    return RowOutcome(
        index,
        RowState.FAILED,
        code=error.code,
        column=error.column,
        value=error.value,
        reason=error.en,
        reason_zh=error.zh,
        sheet_row=sheet_row,
    )


def order_row(order: NewOrder, scope: Scope, index: int) -> dict[str, Any]:
    """Return the columns of an order as `store.insert_orders` takes them."""
    return {
        "order_no": order.order_no,
        "order_time": order.order_time,
        "receive_date": order.receive_date,
        "time_config_id": scope.cycle.id,
        "status": int(OrderStatus.SUBMITTED),
        "buyer_code": order.buyer_code,
        "buyer_name": order.buyer_name,
        "area": order.area,
        "remark": order.remark,
        "line_count": len(order.lines),
        "amount": order.amount,
        "task_id": scope.task_id,
        "row_index": index,
    }


def line_rows(order: NewOrder) -> list[dict[str, Any]]:
    """Return the columns of its lines."""
    return [
        {
            "sku_code": line.sku_code,
            "sku_name": line.sku_name,
            "unit": line.unit,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "amount": line.amount,
        }
        for line in order.lines
    ]
