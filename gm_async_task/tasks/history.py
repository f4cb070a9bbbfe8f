"""What became of each run of a task: when it was sent, begun and over, and what it logged; see `/task/runs`.

The row of the task has its present run alone. A run is noted here when it is over, in the transaction that ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Insert, Row, Select, bindparam, delete, func, insert, literal, null, select, union_all
from sqlalchemy.engine import Connection

from gm_async_task.tasks.models import runs, tasks
from shared.database import DatabaseClock
from shared.task_api.models import TaskStatus

RunRow = Row[Any]
MOST_RUNS = 1000
"""of the newest, in one answer"""
HANDED_BACK = "handed_back"
WORKER_LOST = "worker_lost"
_RUNNING = int(TaskStatus.RUNNING)
_FROM_TASK = (tasks.c.id, tasks.c.run_count, tasks.c.sent_time, tasks.c.run_start)
_NAMES = ("task_id", "run_count", "sent_time", "start_time", "end_time", "status", "reason_code")
_SHOWN = [runs.c[name] for name in _NAMES]


def note_end(
    connection: Connection,
    clock: DatabaseClock,
    task_id: int,
    *,
    given_back: str | None = None,
    log: Sequence[dict[str, str]] | None = None,
) -> None:
    """Note that the present run of a task is over; call it once the task's row says how.

    `given_back` says why a task waits again that has not ended: HANDED_BACK or WORKER_LOST.
    """
    values = {"wanted_id": task_id, "given_back": given_back, "its_log": list(log) if log else None}
    connection.execute(_note(clock), values)


@lru_cache(maxsize=16)
def _note(clock: DatabaseClock) -> Insert:
    over = select(
        *_FROM_TASK,
        clock.now(),
        tasks.c.status,
        func.coalesce(bindparam("given_back", type_=runs.c.reason_code.type), tasks.c.reason_code),
        bindparam("its_log", type_=runs.c.log.type),
    ).where(tasks.c.id == bindparam("wanted_id"))
    return insert(runs).from_select([*_NAMES, "log"], over)


def note_ends(connection: Connection, clock: DatabaseClock, task_ids: Sequence[int], reason_code: str) -> None:
    """Note that those of the tasks that run are to be ended as failed; call it before."""
    over = select(*_FROM_TASK, clock.now(), literal(int(TaskStatus.FAILED)), literal(reason_code))
    running = over.where(tasks.c.id.in_(task_ids), tasks.c.status == _RUNNING)
    connection.execute(insert(runs).from_select(list(_NAMES), running))


def list_runs(connection: Connection, task_ids: Sequence[int], *, with_log: bool) -> Sequence[RunRow]:
    """Return the runs of some tasks, those that go on included, by task and number; of very many the newest."""
    query = _query(tuple(task_ids), with_log).order_by("task_id", "run_count")
    return connection.execute(query).all()[-MOST_RUNS:]


def _query(task_ids: Sequence[int], with_log: bool) -> Any:
    log = [runs.c.log] if with_log else []
    over: Select[Any] = select(*_SHOWN, *log).where(runs.c.task_id.in_(task_ids))
    over = over.order_by(runs.c.id.desc()).limit(MOST_RUNS)
    nothing = [
        null().label("end_time"),
        tasks.c.status,
        null().label("reason_code"),
        *(null().label("log") for _ in log),
    ]
    going_on = select(*_FROM_TASK, *nothing).where(tasks.c.id.in_(task_ids), tasks.c.status == _RUNNING)
    return union_all(select(over.subquery()), going_on)


def forget(connection: Connection, task_ids: Sequence[int]) -> None:
    """Delete what is known of the runs of tasks that are purged."""
    connection.execute(delete(runs).where(runs.c.task_id.in_(task_ids)))
