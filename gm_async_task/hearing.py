"""Whether workers can be heard: a lease is judged only while its run could renew it.

While the task service or its database is away, no run can renew its lease or report its end, though it goes on and
tries again every second. The keeper may well be there all the while, or reach the database first when it is back. So
it asks the service before each sweep, and takes no run for lost until the service has answered for half a lease, and
for as long as a worker may wait before it tries again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
import urllib3

from shared.task_api.held_run import CLAIM_DELAY_SECONDS

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 600.0
"""leases count again after so long, as workers then give up reporting (`GM_REPORT_SECONDS`)"""
_TRIED_AGAIN_SECONDS = CLAIM_DELAY_SECONDS + 1.0
_ANSWER_SECONDS = 2.0
_NOT_READY = 500


class Hearing:
    """What the keeper knows of the service's being there; asked once before each sweep."""

    def __init__(
        self, answers: Callable[[], bool], lease_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._answers = answers
        self._settled_seconds = max(lease_seconds / 2, _TRIED_AGAIN_SECONDS)
        self._clock = clock
        self._away_since: float | None = None
        self._away_at = 0.0

    def counts(self) -> bool:
        """Ask the service, and tell whether a lease that is over says that its run is lost."""
        answers, now = self._answers(), self._clock()
        if not answers:
            self._note_away(now)
        if self._away_since is None:
            return True
        if now - self._away_at >= self._settled_seconds:
            log.info("service_heard_again", away_seconds=round(self._away_at - self._away_since, 1))
            self._away_since = None
            return True
        return now - self._away_since > PATIENCE_SECONDS

    def _note_away(self, now: float) -> None:
        if self._away_since is None:
            log.warning("service_unheard")
            self._away_since = now
        self._away_at = now


def asks(url: str) -> Callable[[], bool]:
    """Return a function that tells whether the service at `url` answers and has its database."""
    pool = urllib3.connection_from_url(url, timeout=_ANSWER_SECONDS, retries=False)

    def answers() -> bool:
        try:
            return pool.request("GET", "/readyz").status < _NOT_READY
        except urllib3.exceptions.HTTPError:
            return False

    return answers
