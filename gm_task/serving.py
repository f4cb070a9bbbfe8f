"""What a worker's event loop and its presence thread tell one another: which queues to hear, what runs, who knows what.

Each field is written by one thread only, whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from shared.broker.queue import RUN_COUNT_HEADER

KNOWN_ELSEWHERE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Running:
    """A run that a child has under way."""

    task_id: int
    task_name: str
    run_count: int
    began: float
    """by the monotonic clock"""


class Serving:
    """The state of one worker's parent process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.queues: frozenset[str] = frozenset()
        """broker queues to hear; none before the task service has said which"""
        self.running: tuple[Running, ...] = ()
        self._clock = clock
        self._began: dict[str, Running] = {}
        self._known_elsewhere: dict[str, float] = {}

    def note_running(self, requests: Iterable[Any]) -> None:
        """Keep what Celery has under way; called often, as it tells since when each run is."""
        now = self._clock()
        self._began = {request.id: self._began.get(request.id) or _running(request, now) for request in requests}
        self.running = tuple(self._began.values())

    def note_known_elsewhere(self, name: str) -> None:
        """Keep for a while that another live worker has the function `name`."""
        self._known_elsewhere = {**self._fresh(), name: self._clock()}

    def is_known_elsewhere(self, name: str) -> bool:
        """Tell whether another worker was found to have it just now."""
        return name in self._fresh()

    def report_running(self) -> list[dict[str, Any]]:
        """Return the runs as /worker/report takes them."""
        now = self._clock()
        return [
            {
                "task_id": run.task_id,
                "task_name": run.task_name,
                "run_count": run.run_count,
                "seconds": round(now - run.began, 1),
            }
            for run in self.running
        ]

    def _fresh(self) -> dict[str, float]:
        oldest = self._clock() - KNOWN_ELSEWHERE_SECONDS
        return {name: noted for name, noted in self._known_elsewhere.items() if noted > oldest}


def _running(request: Any, now: float) -> Running:
    seen = request.request_dict.get(RUN_COUNT_HEADER)
    # As gm_task.runner reads it: a bell without a count is taken for a task's first.
    run_count = seen if isinstance(seen, int) and 0 <= seen < 2**31 - 1 else 0
    return Running(request.args[0], request.name[:64], run_count + 1, now)
