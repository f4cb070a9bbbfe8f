"""The SQL of workers, and of the bells that they give back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from gm_async_task.tasks.models import tasks
from gm_async_task.workers.models import workers
from shared.database import DatabaseClock
from shared.task_api.models import TaskStatus
from shared.task_api.workers import ReportWorker

WorkerRow = Row[Any]
_SUBMITTED = int(TaskStatus.SUBMITTED)


def write_report(connection: Connection, clock: DatabaseClock, command: ReportWorker) -> None:
    """Insert or renew what a worker said of itself."""
    values = {
        **command.model_dump(mode="json", exclude={"name", "started_seconds"}),
        "started_at": clock.after(-command.started_seconds),
        "seen_at": clock.now(),
    }
    renewed = connection.execute(update(workers).where(workers.c.name == command.name).values(values))
    if renewed.rowcount == 0:
        connection.execute(insert(workers).values(values | {"name": command.name}))


def list_functions(connection: Connection, clock: DatabaseClock, name: str, silent_seconds: float) -> list[str]:
    """Return the functions that a worker reported so far; none where it was not there, or not heard of."""
    query = select(workers.c.functions).where(workers.c.name == name, workers.c.seen_at > clock.after(-silent_seconds))
    return connection.execute(query).scalar_one_or_none() or []


def delete_worker(connection: Connection, name: str) -> None:
    """Forget a worker."""
    connection.execute(delete(workers).where(workers.c.name == name))


def delete_silent(connection: Connection, clock: DatabaseClock, seconds: float) -> int:
    """Forget the workers that have been silent for so long; return how many."""
    return connection.execute(delete(workers).where(workers.c.seen_at < clock.after(-seconds))).rowcount


def has_silent(connection: Connection, clock: DatabaseClock, seconds: float) -> bool:
    """Tell whether a worker has been silent for so long."""
    query = select(workers.c.name).where(workers.c.seen_at < clock.after(-seconds)).limit(1)
    return connection.execute(query).first() is not None


def list_live(connection: Connection, clock: DatabaseClock, silent_seconds: float) -> Sequence[WorkerRow]:
    """Return version, queues and functions of the workers heard of within `silent_seconds`."""
    columns = (workers.c.version, workers.c.queues, workers.c.functions)
    return connection.execute(select(*columns).where(workers.c.seen_at > clock.after(-silent_seconds))).all()


def list_workers(connection: Connection, clock: DatabaseClock) -> list[WorkerRow]:
    """Return all workers, and the database's time as `now`."""
    query = select(*workers.c, clock.now().label("now")).order_by(workers.c.name)
    return list(connection.execute(query).all())


def make_refused_due(connection: Connection, clock: DatabaseClock, names: Collection[str]) -> int:
    """Have every waiting task rung for at once that was refused, and whose function is one of `names`."""
    statement = (
        update(tasks)
        .where(tasks.c.status == _SUBMITTED, tasks.c.refused_count > 0, tasks.c.queue.is_not(None))
        .where(tasks.c.name.in_(sorted(names)))
        .values(dispatch_at=clock.now(), dispatch_count=0, refused_at=None)
    )
    return connection.execute(statement).rowcount


def note_refusal(connection: Connection, task_id: int, **values: Any) -> None:
    """Count a bell that was given back; neither this nor any number of them makes the task younger."""
    counted = {"refused_count": tasks.c.refused_count + 1, **values}
    connection.execute(update(tasks).where(tasks.c.id == task_id).values(counted))


def refused_since(clock: DatabaseClock) -> Any:
    """Return the SQL of `refused_at` after a refusal that no live worker's knowledge makes good."""
    return func.coalesce(tasks.c.refused_at, clock.now())
