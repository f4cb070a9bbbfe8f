"""Takes what only one job can have, a name or a lock, while others reach for it too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from gm_async_task.workflow import lock_store
from gm_async_task.workflow.stats import Refused, Stat
from shared.database import in_write
from shared.errors import Unavailable

log = structlog.get_logger(__name__)
Result = TypeVar("Result")
_TRIES = 5


def in_write_again(
    engine: Engine, work: Callable[[Connection], Result], look: Callable[[], None] = lambda: None
) -> Result:
    """Do `work` in one transaction, again where another one took a name or a lock in between: then it is seen.

    Raises:
        Refused: by `look`, which is called after each collision.
        Unavailable: others keep taking what this one wants.
    """
    for _ in range(_TRIES):
        try:
            return in_write(engine, work)
        except IntegrityError as error:
            log.info("job_collided", problem=str(error.orig))
            look()
    raise Unavailable(what="database")


def take_locks(connection: Connection, job_id: int, names: tuple[str, ...]) -> None:
    """Take locks for a job, those that it holds already included.

    Raises:
        Refused: another job holds one.
        sqlalchemy.exc.IntegrityError: another job was first just now.
    """
    if not names:
        return
    holders = lock_store.list_lock_holders(connection, names)
    for name in sorted(holders):
        if holders[name] != job_id:
            raise Refused(Stat.JOB_LOCKED, f"job {holders[name]} holds the lock {name}", job_id=holders[name])
    lock_store.insert_locks(connection, job_id, set(names) - set(holders))
