"""The platform's one retry loop: exponential backoff with full jitter, a deadline, and a way to be told to stop."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from shared.errors import PlatformError, Unavailable

Result = TypeVar("Result")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often to try."""

    seconds: float
    """no new attempt begins later than this after the first"""
    first_delay_seconds: float = 0.2
    """the second attempt follows within this time; each later one within twice the time before"""
    longest_delay_seconds: float = 10.0
    """the delays grow no longer than this"""

    def delay(self, attempt: int) -> float:
        """Return the seconds to wait after the `attempt`-th failure, at least half of the present step."""
        step = min(self.longest_delay_seconds, self.first_delay_seconds * 2 ** min(attempt - 1, 30))
        return random.uniform(step / 2, step)  # noqa: S311 jitter, no secret


def is_transient(error: PlatformError) -> bool:
    """Tell whether the same call may succeed later: the service is away, or failed in a way it did not expect."""
    return isinstance(error, Unavailable) or type(error) is PlatformError


def call_patiently(
    call: Callable[[], Result],
    patience: Patience,
    *,
    event: str,
    given_up: Callable[[], bool] = lambda: False,
    transient: Callable[[PlatformError], bool] = is_transient,
) -> Result:
    """Return what `call` returns, trying again after transient failures; `call` must bear being repeated.

    `event` names the call in the log. `given_up` is asked before each wait and about twice a second during it.

    Raises:
        PlatformError: the last failure, when it is not transient, patience is over, or `given_up` says so.
    """
    deadline = time.monotonic() + patience.seconds
    attempt = 0
    while True:
        attempt += 1
        try:
            return call()
        except PlatformError as error:
            delay = patience.delay(attempt)
            if not transient(error) or time.monotonic() + delay > deadline:
                raise
            log.warning("call_retried", call=event, attempt=attempt, delay_seconds=round(delay, 3), problem=str(error))
            if _wait(delay, given_up):
                raise


def _wait(seconds: float, given_up: Callable[[], bool]) -> bool:
    """Sleep; return True as soon as the caller gave up."""
    end = time.monotonic() + seconds
    while not given_up():
        left = end - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(0.5, left))
    return True
