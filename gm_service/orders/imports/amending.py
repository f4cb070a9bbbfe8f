"""Attempts rows of an ended import again, as corrected or as they stand; what was created is never touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection, Engine

from gm_service.orders.cycles import require_time_config
from gm_service.orders.imports import ledger, rows
from gm_service.orders.imports.attempting import enter_verdicts, failure
from gm_service.orders.imports.creating import in_write_again
from gm_service.orders.imports.judging import Scope, Verdict, judge_rows
from gm_service.orders.imports.ledger import Import
from gm_service.orders.imports.models import RowState
from gm_service.orders.imports.row_reasons import RowError
from gm_service.orders.imports.rows import RowOutcome, SubmittedRow
from shared.errors import InvalidField
from shared.web.strict_json import are_same

ROWS_A_TIME = 200
"""in one transaction: other writers get their turn in between"""

Corrections = Mapping[int, SubmittedRow | None]
"""By index; None runs the row as it was submitted last."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """Which import is amended, and which runs of its task are over."""

    batch: Import
    task_id: int
    run_count: int
    zone: ZoneInfo


def amend_rows(engine: Engine, amendment: Amendment, corrections: Corrections) -> list[RowOutcome]:
    """Attempt these rows and return what became of each, in the order of their indexes.

    A row that was created stays as it is, whatever is sent; a row that fails again in the same way is left alone.
    Two people amending at once each get their turn, row by row.

    Raises:
        InvalidField: an index is not one of the import's; nothing is changed.
        Unavailable: the database is away; what was attempted before stays, and is left alone when sent again.
    """
    indexes = sorted(corrections)
    if indexes and indexes[-1] >= amendment.batch.total:
        raise InvalidField(field="rows", problem=f"the import has {amendment.batch.total} rows, no {indexes[-1]}")
    outcomes: list[RowOutcome] = []
    for start in range(0, len(indexes), ROWS_A_TIME):
        some = {index: corrections[index] for index in indexes[start : start + ROWS_A_TIME]}
        work = partial(_amend, amendment=amendment, corrections=some)
        outcomes += in_write_again(engine, work)
    return outcomes


def _amend(connection: Connection, amendment: Amendment, corrections: Corrections) -> list[RowOutcome]:
    batch = amendment.batch
    ledger.hold_for_amendment(connection, batch.id, amendment.run_count)
    cycle = require_time_config(connection, batch.station_id, batch.time_config_id)
    scope = Scope(batch.station_id, cycle, amendment.zone, amendment.task_id)
    before = {row.index: row for row in rows.list_outcomes(connection, batch.id, corrections)}
    still_open = [index for index, row in before.items() if row.state is not RowState.CREATED]
    stored = rows.list_originals(connection, batch.id, still_open)
    corrected = _corrected(corrections, stored)
    wanted: dict[int, Any] = stored | {index: row.order for index, row in corrected.items()}
    verdicts = judge_rows(connection, scope, wanted)
    news = {
        index: verdict
        for index, verdict in verdicts.items()
        if index in corrected or not _says_nothing_new(verdict, before[index])
    }
    rows.replace_originals(connection, batch.id, corrected)
    enter_verdicts(connection, batch.id, scope, news)
    return rows.list_outcomes(connection, batch.id, corrections)


def _corrected(corrections: Corrections, stored: dict[int, Any]) -> dict[int, SubmittedRow]:
    """Return the corrections of open rows that say something else than what stands there."""
    given = ((index, corrections[index]) for index in stored)
    return {index: row for index, row in given if row is not None and not are_same(row.order, stored[index])}


def _says_nothing_new(verdict: Verdict, before: RowOutcome) -> bool:
    """Tell whether a row failed before as it fails now."""
    if before.state is not RowState.FAILED or not isinstance(verdict, RowError):
        return False
    now = failure(before.index, verdict)
    return (now.code, now.column, now.value, now.reason) == (before.code, before.column, before.value, before.reason)
