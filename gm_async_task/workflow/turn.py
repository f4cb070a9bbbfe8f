"""One transaction's work on one job: what it holds, what it writes, and what gathers for after its commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy.engine import Connection

from gm_async_task.workflow import store
from gm_async_task.workflow.dispatch import Bell
from gm_async_task.workflow.store import JobRow
from gm_async_task.workflow.wire import parsed
from shared.database import DatabaseClock


@dataclass
class Turn:
    """Holds the job's row to the end of the transaction."""

    connection: Connection
    clock: DatabaseClock
    job: JobRow
    """as it was when the turn began"""
    now: datetime
    """the database's, UTC without offset"""
    bells: list[Bell] = field(default_factory=list)
    """to be rung after the commit"""
    has_notices: bool = False
    """plugins are to be told something after the commit"""

    @cached_property
    def job_extra(self) -> dict[str, Any]:
        """What the creator of the job gave."""
        extra: dict[str, Any] = parsed(self.job.job_extra)
        return extra

    def change_job(self, **values: Any) -> None:
        """Write columns of the job."""
        store.change_job(self.connection, self.clock, self.job.job_id, **values)

    def change_task(self, task_id: int, **values: Any) -> None:
        """Write columns of one of its tasks."""
        store.change_task(self.connection, self.clock, task_id, **values)
