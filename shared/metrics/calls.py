"""Counts the calls of the task API that a process makes."""

from __future__ import annotations

import time
from typing import Any

from shared.errors import PlatformError, Unavailable
from shared.metrics.meters import Meters
from shared.metrics.table import RINGS, TASK_API_CALLS, TASK_API_SECONDS
from shared.task_api.dispatch import TaskQueue
from shared.task_api.transport import Method, Transport


class CountingTransport:
    """A `Transport` whose calls are counted."""

    def __init__(self, inner: Transport, meters: Meters) -> None:
        self._inner = inner
        self._meters = meters

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """See `Transport.call`."""
        began, outcome = time.monotonic(), "ok"
        try:
            return self._inner.call(method, path, parameters)
        except PlatformError as error:
            outcome = "unavailable" if isinstance(error, Unavailable) or error.status >= 500 else "refused"
            raise
        finally:
            self._meters.count(TASK_API_CALLS, outcome=outcome)
            self._meters.observe(TASK_API_SECONDS, time.monotonic() - began)


class CountingQueue:
    """A `TaskQueue` whose rings are counted, and which remembers whether the broker took the last one."""

    def __init__(self, inner: TaskQueue, meters: Meters) -> None:
        self._inner = inner
        self._meters = meters
        self.state = "unknown"
        """`ok` or `away`, as the last ring of this process found the broker"""

    def send_task(self, *args: Any, **options: Any) -> None:
        """See `TaskQueue.send_task`."""
        try:
            self._inner.send_task(*args, **options)
        except Unavailable:
            self.state = "away"
            self._meters.count(RINGS, outcome="failed")
            raise
        self.state = "ok"
        self._meters.count(RINGS, outcome="ok")
