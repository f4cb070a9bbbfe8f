"""When the keeper makes progress, and `python -m gm_async_task.health [--ready] [FILE]`, which asks a running one.

It is healthy while its loop turns: a sweep ended, well or not, within 120 seconds or ten pauses, which is longer than
any database that hangs can hold one. It is ready while a sweep succeeded within 30 seconds or ten pauses: a keeper
whose database is away lives, and starting it anew would not help.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from shared.health import Health, main

LIVE_SECONDS = 120.0
READY_SECONDS = 30.0
_PAUSES = 10


class KeeperPulse:
    """When the keeper last swept; written by its main thread, read by others."""

    def __init__(self, pause_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._live_seconds = max(LIVE_SECONDS, _PAUSES * pause_seconds)
        self._ready_seconds = max(READY_SECONDS, _PAUSES * pause_seconds)
        self._turned = self._succeeded = clock()
        self._has_succeeded = False

    def swept(self, *, succeeded: bool) -> None:
        """Note the end of a sweep."""
        self._turned = self._clock()
        if succeeded:
            self._succeeded, self._has_succeeded = self._turned, True

    def success_age(self) -> float:
        """Return the seconds since a sweep succeeded, or since the start."""
        return self._clock() - self._succeeded

    def judge(self) -> Health:
        """Tell how the keeper is."""
        still = self._clock() - self._turned
        sick = f"The keeper's loop has stood still for {still:.0f} seconds." if still > self._live_seconds else ""
        return Health(sick, self._why_not_ready())

    def _why_not_ready(self) -> str:
        if not self._has_succeeded:
            return "No sweep has succeeded yet; the database may be away."
        age = self.success_age()
        return f"No sweep has succeeded for {age:.0f} seconds." if age > self._ready_seconds else ""


if __name__ == "__main__":
    sys.exit(main("GM_KEEPER_HEALTH_FILE", sys.argv[1:]))
