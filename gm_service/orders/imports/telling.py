"""Lets a task's result and status follow its import's rows, which are the truth about both.

The result carries `ledger_version`, so that anyone who looks can tell whether it is behind: a process that died
between the ledger and the task costs nothing but the time until somebody looks.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from sqlalchemy.engine import Connection, Engine

from gm_service.orders.imports import ledger, rows
from gm_service.orders.imports.ledger import Counts, Import
from gm_service.orders.imports.outcome import changes_of, end_of, result_of
from gm_service.orders.imports.rows import RowOutcome
from shared.database import in_read
from shared.errors import Language, PlatformError, TooLarge, TransitionRefused
from shared.task_api.client import TaskClient
from shared.task_api.models import Task, TaskStatus, TaskType

log = structlog.get_logger(__name__)

_TRIES = 5
_CAUGHT_UP_AT_ONCE = 3
"""tasks that one look brings up to date; the others wait for the next look"""


@dataclass(frozen=True, slots=True)
class _News:
    """What a task doesn't know of its import yet."""

    batch: Import
    counts: Counts
    outcomes: list[RowOutcome]


@dataclass(frozen=True, slots=True)
class ImportTeller:
    """Tells tasks of their imports."""

    engine: Engine
    task_client: TaskClient
    language: Language
    """of reasons"""

    def tell(self, station_id: str, task_id: int, import_id: int) -> Task:
        """Bring an ended import's task up to date and return it, without input and rows.

        Of any number of callers at once the last one to be heard leaves the task as the ledger has it: each looks
        again after its own change, and goes on until there is no news.

        Raises:
            Unavailable: the task service is away; the next look catches up.
        """
        for _ in range(_TRIES):
            task = self.task_client.get(task_id, station_id=station_id, brief=True)
            known = known_version(task)
            news = in_read(self.engine, partial(_read_news, import_id=import_id, known=known))
            if not _is_open(task) or news.batch.version == known:
                return task
            try:
                self._pass_on(task, news, known)
            except TooLarge:
                # The reasons of many corrections add up: told anew, those behind the limit are left out.
                self._pass_on(task, in_read(self.engine, partial(_read_news, import_id=import_id, known=None)), None)
        # Others keep amending; whoever comes last finds no news, and the next look catches up in any case.
        log.info("import_told_while_it_changes", task_id=task_id)
        return self.task_client.get(task_id, station_id=station_id, brief=True)

    def catch_up(self, station_id: str, tasks: Sequence[Task]) -> bool:
        """Bring those imports among the tasks up to date that are behind; tell whether there were any.

        Never raises for the sake of a look: what can't be told now is logged.
        """
        ended = {task.task_id: task for task in tasks if _is_open(task)}
        if not ended:
            return False
        versions = in_read(self.engine, lambda c: ledger.list_versions(c, station_id, ended))
        behind = [(task_id, at[0]) for task_id, at in versions.items() if at[1] != known_version(ended[task_id])]
        # Any of them: one that can't be told must not keep the others waiting.
        for task_id, import_id in random.sample(behind, min(len(behind), _CAUGHT_UP_AT_ONCE)):
            try:
                self.tell(station_id, task_id, import_id)
            except PlatformError as error:
                log.warning("import_not_told", task_id=task_id, problem=str(error))
        return bool(behind)

    def _pass_on(self, task: Task, news: _News, known: int | None) -> None:
        said = (news.batch.file_name, news.counts, news.batch.version)
        changes = [("$", result_of(*said, news.outcomes))] if known is None else changes_of(*said, news.outcomes)
        try:
            self.task_client.amend(task.task_id, changes, station_id=task.station_id, **self._status_of(task, news))
        except TransitionRefused:
            log.info("import_told_by_another", task_id=task.task_id)

    def _status_of(self, task: Task, news: _News) -> dict[str, Any]:
        """Return the status that follows from the rows; none where a run ended early and nobody went on with it."""
        if news.counts.waiting and not _was_amended(task, news.batch):
            return {}
        end = end_of(news.counts)
        return {
            "status": int(end.status),
            "reason": end.reason(news.counts, self.language),
            "reason_code": end.reason_code,
        }


def _was_amended(task: Task, batch: Import) -> bool:
    """Tell whether somebody went on with the rows; what was changed before any run can't be a run's doing."""
    return bool(batch.closed_run) or (task.run_count == 0 and batch.version > 1)


def known_version(task: Task) -> int | None:
    """Return the version of the ledger that a task's result was made from; None where it has no rows."""
    version = task.result.get("ledger_version") if isinstance(task.result, dict) else None
    return version if isinstance(version, int) else None


def _is_open(task: Task) -> bool:
    is_amendable = task.status in (TaskStatus.PARTLY_SUCCEEDED, TaskStatus.FAILED)
    return is_amendable and task.type == TaskType.IMPORT


def _read_news(connection: Connection, import_id: int, known: int | None) -> _News:
    # The version first: a change in between makes the rows newer than it says, and is told once more.
    batch = ledger.find_by_id(connection, import_id)
    assert batch is not None  # noqa: S101 the caller found it
    counts = ledger.count_rows(connection, import_id, batch.total)
    if batch.version == known:
        return _News(batch, counts, [])
    return _News(batch, counts, rows.list_outcomes(connection, import_id, newer_than=known or 0))
