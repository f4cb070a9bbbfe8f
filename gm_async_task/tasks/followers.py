"""Who else must know that a task was started or has ended, within the very transaction in which it did.

The task room does not know its followers: app and keeper pass them in. What a follower wants done after the commit
(ring a bell) is done then, and only then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy.engine import Connection, Engine

from gm_async_task.tasks.store import TaskRow
from shared.database import in_write

Result = TypeVar("Result")
AfterCommit = Callable[[], None]


class Follower(Protocol):
    """Follows tasks that stand for a part of something larger (`workflow_task_id`)."""

    def on_started(self, connection: Connection, row: TaskRow) -> bool:
        """Note that a run was granted; False refuses it."""
        ...

    def on_ended(self, connection: Connection, task_id: int) -> AfterCommit | None:
        """Note that a task has ended; one that has not, or stands for nothing, is left alone."""
        ...


class NoFollower:
    """Follows nothing."""

    def on_started(self, connection: Connection, row: TaskRow) -> bool:  # noqa: ARG002
        """Grant the run."""
        return True

    def on_ended(self, connection: Connection, task_id: int) -> AfterCommit | None:  # noqa: ARG002
        """Do nothing."""
        return None


class Endings:
    """The ends of one transaction, and what is to be done after it."""

    def __init__(self, connection: Connection, follower: Follower) -> None:
        self._connection = connection
        self._follower = follower
        self._after: list[AfterCommit] = []

    def note(self, task_id: int) -> None:
        """Tell the follower that a task may have ended."""
        after = self._follower.on_ended(self._connection, task_id)
        if after is not None:
            self._after.append(after)

    def finish(self) -> None:
        """Do what was left for after the commit."""
        for act in self._after:
            act()


def in_followed_write(engine: Engine, follower: Follower, work: Callable[[Connection, Endings], Result]) -> Result:
    """Run `work` in one write transaction as `in_write` does; it notes the ends that it causes.

    Raises:
        Unavailable: see `shared.database.in_write`.
    """

    def whole(connection: Connection) -> tuple[Result, Endings]:
        endings = Endings(connection, follower)
        return work(connection, endings), endings

    result, endings = in_write(engine, whole)
    endings.finish()
    return result
