"""Creates the orders of an import, some rows at a time, each row once however often and by whomever it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from gm_service.orders.cycles import require_time_config
from gm_service.orders.imports import ledger, rows
from gm_service.orders.imports.attempting import enter_verdicts
from gm_service.orders.imports.commands import CreateOrders, RunKey
from gm_service.orders.imports.judging import Scope, judge_rows
from gm_service.orders.imports.ledger import Counts, Import
from shared.database import in_write
from shared.errors import RuleRefused, StaleRun, Unavailable

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Attempted:
    """What became of the rows of one call, and how far the import is then."""

    created: int
    failed: int
    counts: Counts


def create_orders(engine: Engine, command: CreateOrders, zone: ZoneInfo) -> Attempted:
    """Attempt the next waiting rows of an import in one transaction.

    Asked again after its answer was lost it goes on with the rows behind.

    Raises:
        StaleRun: a later run of the task was seen, or its import was amended since; nothing is changed.
        RuleRefused: there is no such import; nothing is changed.
        Unavailable: the database is away, or others keep taking the same order numbers.
    """

    def create(connection: Connection) -> Attempted:
        batch = hold_import(connection, command)
        cycle = require_time_config(connection, batch.station_id, batch.time_config_id)
        waiting = rows.list_waiting(connection, batch.id, command.limit)
        scope = Scope(batch.station_id, cycle, zone, command.task_id)
        created = enter_verdicts(connection, batch.id, scope, judge_rows(connection, scope, waiting))
        counts = ledger.count_rows(connection, batch.id, batch.total)
        return Attempted(created, len(waiting) - created, counts)

    return in_write_again(engine, create)


def hold_import(connection: Connection, key: RunKey) -> Import:
    """Lock the import for this transaction, and see that the run still has its task.

    Raises:
        StaleRun, RuleRefused: see `create_orders`.
    """
    is_held = ledger.hold_for_run(connection, key.import_id, key.task_id, key.run_count)
    batch = ledger.find_by_id(connection, key.import_id)
    if batch is None or batch.station_id != key.station_id or batch.task_id not in (None, key.task_id):
        raise RuleRefused(
            problem=f"Task {key.task_id} has no import {key.import_id}.",
            problem_zh=f"任务 {key.task_id} 没有导入 {key.import_id}。",
        )
    if not is_held:
        raise StaleRun(run_count=key.run_count)
    return batch


def in_write_again(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    """Do `work` in one transaction, again where another one took an order number, or the same id, in between.

    Raises:
        Unavailable: others keep taking them.
    """
    for _ in range(_TRIES):
        try:
            return in_write(engine, work)
        except IntegrityError as error:
            log.info("import_collided", problem=str(error.orig))
    raise Unavailable(what="database")
