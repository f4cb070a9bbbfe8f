"""Celery's pool of child processes, which notices a lost run within a second instead of within five."""

from __future__ import annotations

from collections.abc import Callable

from celery.concurrency.asynpool import AsynPool
from celery.concurrency.prefork import TaskPool

_MAINTAIN_SECONDS = 0.25


class WatchfulPool(AsynPool):
    """Looks after its children more often: a run is given back at the first look after `worker_lost_wait`."""

    @property
    def timers(self) -> dict[Callable[[], None], float]:
        """Return what the event loop calls, and how often in seconds."""
        return {self.maintain_pool: _MAINTAIN_SECONDS}


class WatchfulTaskPool(TaskPool):
    """Celery's prefork pool made of these."""

    Pool = WatchfulPool
