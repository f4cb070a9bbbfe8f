"""Reads what there is to know of one task and of the workers that could run it, for `diagnosis`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection, Engine

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks import store
from gm_async_task.tasks.models import tasks
from gm_async_task.tasks.store import TaskRow
from gm_async_task.workers.diagnosis import Facts, Workers, diagnose
from gm_async_task.workers.service import WorkerService
from shared.database import DatabaseClock, in_read
from shared.task_api.commands import TaskKey
from shared.task_api.lanes import rung_queue
from shared.task_api.models import TaskStatus
from shared.task_api.workers import Explanation, Worker, WorkerState


class Explainer:
    """Answers why a task is where it is."""

    def __init__(
        self, engine: Engine, settings: AsyncTaskSettings, clock: DatabaseClock, presence: WorkerService
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._presence = presence

    def explain(self, key: TaskKey) -> Explanation:
        """Return what a task waits for, or how it runs, in sentences.

        Raises:
            TaskNotFound
        """
        row, now, ahead = in_read(self._engine, lambda connection: self._read(connection, key))
        live = [worker for worker in self._presence.list_workers() if worker.state is WorkerState.LIVE]
        facts = _facts(row, now, ahead, live)
        return Explanation(
            task_id=row.id,
            task_name=row.name,
            status=row.status,
            queue=facts.queue,
            ahead=ahead,
            request_id=row.request_id,
            told=diagnose(facts),
        )

    def _read(self, connection: Connection, key: TaskKey) -> tuple[TaskRow, datetime, int]:
        row = store.get_state(connection, key)
        now = connection.execute(select(self._clock.now().label("now"))).scalar_one()
        if row.status != TaskStatus.SUBMITTED or row.queue is None:
            return row, now, 0
        before = select(func.count()).where(
            tasks.c.status == int(TaskStatus.SUBMITTED), store.in_line(row.queue, row.lane), tasks.c.id < row.id
        )
        return row, now, connection.execute(before).scalar_one()


def _facts(row: TaskRow, now: datetime, ahead: int, live: list[Worker]) -> Facts:
    queue = rung_queue(row.queue, row.lane) if row.queue else None

    def until(moment: datetime | None) -> float | None:
        return None if moment is None else (moment - now).total_seconds()

    return Facts(
        status=TaskStatus(row.status),
        name=row.name,
        queue=queue,
        changed=-(until(row.modify_time) or 0.0),
        rung=row.dispatch_count,
        next_ring=until(row.dispatch_at),
        ahead=ahead,
        lease_left=until(row.lease_until),
        run_for=-(until(row.run_start) or 0.0),
        run_limit=row.run_seconds,
        stop_left=until(row.stop_until) if row.stop_requested else None,
        owner=row.owner,
        lost_runs=row.lost_runs,
        reason=row.reason,
        workers=_workers(queue, row.name, live),
    )


def _workers(queue: str | None, name: str, live: list[Worker]) -> Workers:
    serving = [worker for worker in live if queue in worker.serve]
    counted: dict[str, Any] = {
        "able": sum(name in worker.functions for worker in serving),
        "knowing": sum(name in worker.functions for worker in live),
        "children": sum(worker.concurrency for worker in serving),
        "running": sum(len(worker.runs) for worker in serving),
    }
    return Workers(serving=len(serving), **counted)
