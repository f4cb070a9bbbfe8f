"""Creates the orders of an import, chunk by chunk, each row once however often its chunk is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from gm_service.orders import store
from gm_service.orders.cycles import require_time_config
from gm_service.orders.imports import ledger
from gm_service.orders.imports.commands import CreateOrders
from gm_service.orders.imports.ledger import RowOutcome
from gm_service.orders.imports.models import RowState
from gm_service.orders.imports.row_reasons import RowError, row_error
from gm_service.orders.imports.validation import NewOrder, check_order
from gm_service.orders.models import OrderStatus
from shared.database import in_write
from shared.errors import RuleRefused, StaleRun, TooLarge, Unavailable
from shared.web import strict_json

log = structlog.get_logger(__name__)

_CHUNK_TRIES = 5


def check_batch(order_data: Sequence[Any], max_rows: int) -> None:
    """Refuse what is wrong with a submission as a whole; single rows are looked at when they are created.

    Raises:
        RuleRefused: there is no row.
        TooLarge: there are more than `max_rows`.
    """
    if not order_data:
        raise RuleRefused(problem="order_data has no rows.", problem_zh="order_data 中没有任何行。")
    if len(order_data) > max_rows:
        raise TooLarge(what="order_data", limit=f"{max_rows} rows")


def create_orders(engine: Engine, command: CreateOrders, zone: ZoneInfo) -> list[RowOutcome]:
    """Create the orders of one chunk in one transaction and return what became of each row, in the order asked.

    A row that the ledger has already is answered as recorded, so a chunk may be sent again.

    Raises:
        StaleRun: a later run of the task was seen; nothing is changed.
        RuleRefused: the task's import is another station's, or of another operating cycle; nothing is changed.
        Unavailable: the database is away, or others keep taking the same order numbers.
    """
    for _ in range(_CHUNK_TRIES):
        try:
            return in_write(engine, lambda connection: _create_chunk(connection, command, zone))
        except IntegrityError as error:
            # Between our look and our insert another transaction took an order number, or made the batch known.
            # The next try sees it: the row fails as a duplicate, or the batch is found.
            log.info("import_chunk_collided", task_id=command.task_id, problem=str(error.orig))
    raise Unavailable(what="database")


def _create_chunk(connection: Connection, command: CreateOrders, zone: ZoneInfo) -> list[RowOutcome]:
    _hold_batch(connection, command)
    cycle = require_time_config(connection, command.station_id, command.time_config_id)
    recorded = ledger.list_rows(connection, command.task_id, [row.index for row in command.rows])
    fresh = sorted((row for row in command.rows if row.index not in recorded), key=lambda row: row.index)
    if fresh:
        verdicts = {row.index: check_order(row.order, zone, cycle) for row in fresh}
        verdicts |= _find_duplicates(connection, command, verdicts)
        outcomes = _store(connection, command, verdicts)
        originals = {row.index: strict_json.dumps(row.order) for row in fresh}
        ledger.insert_rows(connection, command.task_id, outcomes, originals)
        recorded |= {outcome.index: outcome for outcome in outcomes}
    return [recorded[row.index] for row in command.rows]


def _hold_batch(connection: Connection, command: CreateOrders) -> None:
    """Lock the import for this transaction, and see that the run still has the task."""
    is_held = ledger.raise_run_count(connection, command.task_id, command.run_count)
    batch = ledger.find_batch(connection, command.task_id)
    if batch is None:
        _open_batch(connection, command)
        return
    _check_owner(batch, command)
    # Asked again where it failed: the batch may have been made known between the two looks.
    if not is_held and not ledger.raise_run_count(connection, command.task_id, command.run_count):
        raise StaleRun(run_count=command.run_count)


def _open_batch(connection: Connection, command: CreateOrders) -> None:
    ledger.insert_batch(
        connection,
        task_id=command.task_id,
        station_id=command.station_id,
        time_config_id=command.time_config_id,
        file_name=command.file_name,
        run_count=command.run_count,
        total=command.total,
    )


def _check_owner(batch: ledger.Batch, command: CreateOrders) -> None:
    ours = (batch.station_id, batch.time_config_id, batch.total)
    if ours != (command.station_id, command.time_config_id, command.total):
        raise RuleRefused(
            problem=f"Task {command.task_id} is the import of another station, operating cycle or size.",
            problem_zh=f"任务 {command.task_id} 属于另一站点、运营周期，或行数不同的导入。",
        )


def _find_duplicates(
    connection: Connection, command: CreateOrders, verdicts: dict[int, NewOrder | RowError]
) -> dict[int, RowError]:
    """Return the rows whose order number a lower row of the import, or another order of the station, has."""
    numbers = {index: verdict.order_no for index, verdict in verdicts.items() if isinstance(verdict, NewOrder)}
    stored = store.find_origins(connection, command.station_id, numbers.values())
    taken = {order_no: row if task == command.task_id else None for order_no, (task, row) in stored.items()}
    duplicates: dict[int, RowError] = {}
    for index, order_no in sorted(numbers.items()):
        if order_no in taken:
            duplicates[index] = _duplicate(order_no, taken[order_no])
        else:
            taken[order_no] = index
    return duplicates


def _duplicate(order_no: str, index: int | None) -> RowError:
    """Say who has the number: the import's own row `index`, or an order from elsewhere."""
    if index is None:
        return row_error("duplicate_order_no", "order_no", order_no)
    return row_error("duplicate_in_batch", "order_no", order_no, index + 1)


def _store(connection: Connection, command: CreateOrders, verdicts: dict[int, NewOrder | RowError]) -> list[RowOutcome]:
    accepted = {index: verdict for index, verdict in verdicts.items() if isinstance(verdict, NewOrder)}
    rows = [_order_row(order, command, index) for index, order in accepted.items()]
    ids = store.insert_orders(
        connection, command.station_id, rows, {order.order_no: _line_rows(order) for order in accepted.values()}
    )
    return [_outcome(index, verdict, ids) for index, verdict in verdicts.items()]


def _order_row(order: NewOrder, command: CreateOrders, index: int) -> dict[str, Any]:
    return {
        "order_no": order.order_no,
        "order_time": order.order_time,
        "receive_date": order.receive_date,
        "time_config_id": command.time_config_id,
        "status": int(OrderStatus.SUBMITTED),
        "buyer_code": order.buyer_code,
        "buyer_name": order.buyer_name,
        "area": order.area,
        "remark": order.remark,
        "line_count": len(order.lines),
        "amount": order.amount,
        "task_id": command.task_id,
        "row_index": index,
    }


def _line_rows(order: NewOrder) -> list[dict[str, Any]]:
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


def _outcome(index: int, verdict: NewOrder | RowError, ids: dict[str, int]) -> RowOutcome:
    if isinstance(verdict, NewOrder):
        return RowOutcome(index, RowState.CREATED, order_id=ids[verdict.order_no])
    return RowOutcome(
        index,
        RowState.FAILED,
        code=verdict.code,
        column=verdict.column,
        value=verdict.value,
        reason=verdict.en,
        reason_zh=verdict.zh,
    )
