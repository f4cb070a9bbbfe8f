"""The SQL of locks: whoever is in the table holds the lock, and its key is what makes it one."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from gm_async_task.workflow.models import locks


def list_lock_holders(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the jobs that hold the locks, by the locks' names; nobody's are left out."""
    rows = connection.execute(select(locks).where(locks.c.lock_name.in_(list(names)))).all()
    return {row.lock_name: row.job_id for row in rows}


def insert_locks(connection: Connection, job_id: int, names: Iterable[str]) -> None:
    """Take locks that were free; always in the same order, so that two takers don't wait for each other.

    Raises:
        sqlalchemy.exc.IntegrityError: another job was first.
    """
    rows = [{"lock_name": name, "job_id": job_id} for name in sorted(names)]
    if rows:
        connection.execute(insert(locks), rows)


def free_locks(connection: Connection, job_id: int) -> None:
    """Give back whatever the job holds."""
    connection.execute(delete(locks).where(locks.c.job_id == job_id))
