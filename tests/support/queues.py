"""Doorbells for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.errors import Unavailable


class SilentQueue:
    """Rings for nobody."""

    def send_task(self, task_name: str, args: list[int], queue: str, **options: object) -> None:
        """Accept the message and forget it."""


@dataclass
class RecordingQueue:
    """Notes who was rung for; `away` makes it a broker that can't be reached."""

    away: bool = False
    broken: str = ""
    """a queue that can't be sent to"""
    before_send: Callable[[], object] | None = None
    """what happens elsewhere while a message is sent, once"""
    rung: list[tuple[int, int]] = field(default_factory=list)
    """(task id, run_count) of each message"""
    queues: list[str] = field(default_factory=list)
    """the queue of each"""

    def send_task(self, task_name: str, args: list[int], queue: str, *, run_count: int = 0, **_: object) -> None:
        """Note the message, or fail as a broker that is away."""
        happening, self.before_send = self.before_send, None
        if happening:
            happening()
        if self.away or queue == self.broken:
            raise Unavailable(what="broker")
        self.rung.append((args[0], run_count))
        self.queues.append(queue)
