"""Keeps a service that hangs from holding every thread that calls it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import structlog

from shared.errors import Unavailable
from shared.task_api.transport import Method, Transport

log = structlog.get_logger(__name__)
SLOW_SECONDS = 1.0
"""a failure that takes so long is a service that hangs; one that comes at once holds nobody"""
MOST_FAILURES = 3
PAUSE_SECONDS = 1.0


class CircuitTransport:
    """A `Transport` that fails at once while its service hangs, and lets one call at a time find out whether it does.

    Open after `MOST_FAILURES` slow failures in a row; after each pause one call is let through.
    """

    def __init__(self, inner: Transport, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_from = 0.0
        """when the next call may try, while the circuit is open"""
        self._trying = False

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """See `Transport.call`."""
        tries = self._enter()
        began = self._clock()
        hung = False
        try:
            return self._inner.call(method, path, parameters)
        except Unavailable:
            hung = self._clock() - began >= SLOW_SECONDS
            raise
        finally:
            self._leave(hung, tries)

    def _enter(self) -> bool:
        """Return whether this call is the one that finds out.

        Raises:
            Unavailable: the service hangs.
        """
        with self._lock:
            if self._failures < MOST_FAILURES:
                return False
            if self._trying or self._clock() < self._closed_from:
                raise Unavailable(what="task service")
            self._trying = True
            return True

    def _leave(self, hung: bool, tried: bool) -> None:
        with self._lock:
            if tried:
                self._trying = False
            if not hung:
                self._failures = 0
                return
            self._failures += 1
            self._closed_from = self._clock() + PAUSE_SECONDS
            if self._failures == MOST_FAILURES:
                log.warning("task_service_hangs", failures=self._failures)
