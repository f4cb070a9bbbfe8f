"""Ends a worker's child whose parent is gone, once it has given back or finished what it runs.

Celery would have the kernel kill children with their parent, in the middle of a run; and a child that waits for
work does not notice by itself, because its siblings hold the other end of its pipe open too.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gm_task.stop import StopFlag

_LOOK_SECONDS = 0.5


class OrphanWatch:
    """A thread of each child; made before the fork, started after it."""

    def __init__(self, stop: StopFlag) -> None:
        self._stop = stop
        self._working = threading.Lock()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Keep the process while a run is under way; a run of an orphan is told to stop and so ends soon."""
        with self._working:
            yield

    def start(self) -> None:
        """Begin to watch in this process."""
        threading.Thread(target=self._watch, name="orphan-watch", daemon=True).start()

    def _watch(self) -> None:
        while not self._stop.is_orphan():
            time.sleep(_LOOK_SECONDS)
        with self._working:
            os._exit(0)
