"""One run as its holder knows it: the lease, the last word from the server, and whether and why it must end early."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import structlog

from shared.errors import Language, PlatformError, ProgressBackwards, StaleRun, TaskNotFound
from shared.run_log import RunLog
from shared.task_api.client import TaskClient
from shared.task_api.models import StartedTask

log = structlog.get_logger(__name__)
CLAIM_DELAY_SECONDS = 5.0
"""longest wait before a claim that the service did not answer is made again"""


class Ending(Enum):
    """Why a run must end before its body is done."""

    CLOSED = "closed"
    """a person asked for it"""
    HANDED_BACK = "handed_back"
    """the worker stops, and another one may run the task again"""
    WORKER_STOPPED = "worker_stopped"
    """the worker stops, its grace is over, and the task may not be run again"""
    TIMED_OUT = "run_timeout"
    """the run took too long, however often it was heard of"""
    FENCED = "fenced"
    """the server gave the task to another run, or ended it"""


@dataclass(frozen=True, slots=True)
class RunPolicy:
    """The times and the language of a run; the lease and its limits come from the server."""

    language: Language = "en"
    start_seconds: float = 60.0
    """how long claiming is tried; after that the sweeper rings again"""
    report_seconds: float = 600.0
    """how long the end is reported; after that the lease expires"""
    report_delay_seconds: float = 10.0
    """longest wait between two attempts to report"""
    stop_grace_seconds: float = 30.0
    """what a run that may not be repeated gets when the worker stops, and any run that a person closed"""
    return_grace_seconds: float = 3.0
    """what a body gets to return once nothing it does counts any more"""
    progress_seconds: float = 1.0
    """progress is sent at most this often"""
    word_seconds: float = 1.0
    """`cancelled()` asks the server when its last word is older"""


class HeldRun:
    """What a run's body and its watch share; every method may be called from either thread."""

    def __init__(
        self,
        client: TaskClient,
        task: StartedTask,
        policy: RunPolicy,
        worker_stops: Callable[[], bool],
        run_log: RunLog | None = None,
    ) -> None:
        self.run_log = run_log or RunLog()
        self.client = client
        self.task = task
        self.policy = policy
        self.ending: Ending | None = None
        self.told = False
        """the body has seen that it must end"""
        self._worker_stops = worker_stops
        self._started = self._heard = self._progress_sent = time.monotonic()
        self._ending_since = self._stop_seen = 0.0
        self._retry_at = 0.0
        self._reachable = True
        self._percent = self._percent_known = 0
        self._interim: Any = None
        self._interim_known: Any = None
        self._interim_sent = self._started - policy.progress_seconds
        self._talking = threading.Lock()
        self._deciding = threading.Lock()
        self._report_taken = False

    def look(self) -> None:
        """Notice what needs no network: a stopping worker, a run that took too long."""
        now = time.monotonic()
        if self._worker_stops():
            self._stop_seen = self._stop_seen or now
            if self.task.repeat:
                self.end(Ending.HANDED_BACK)
            elif now - self._stop_seen >= self.policy.stop_grace_seconds:
                self.end(Ending.WORKER_STOPPED)
        if now - self._started >= self.task.run_seconds:
            self.end(Ending.TIMED_OUT)

    def keep(self) -> None:
        """Extend the lease when a quarter of it has passed; send progress that waited."""
        now = time.monotonic()
        due = now - self._heard >= self.task.lease_seconds / 4 if self._reachable else now >= self._retry_at
        if due:
            self._talk(self._beat)
        if self._reachable:
            self._send_progress()
            self._send_interim()

    def refresh(self) -> None:
        """Ask the server for news when its last word is old; while it is away that is left to `keep`."""
        if self._reachable and time.monotonic() - self._heard >= self.policy.word_seconds:
            self._talk(self._beat)

    def progress(self, percent: int) -> None:
        """Note how far the run is, never backwards; sent at most once in `progress_seconds`, the last 100 at once."""
        self._percent = max(self._percent, min(100, percent))
        if self._reachable:
            self._send_progress()

    def show(self, result: Any) -> None:
        """Note an interim result; sent at most once in `progress_seconds`, the latest one."""
        self._interim = result
        if self._reachable:
            self._send_interim()

    def end(self, why: Ending) -> None:
        """Decide that the run ends early; the first reason stays, unless the run is lost altogether."""
        with self._deciding:
            closed = why is Ending.CLOSED and self.ending is Ending.HANDED_BACK  # a person's word outweighs a deploy
            if self.ending is None or closed or (why is Ending.FENCED and self.ending is not Ending.FENCED):
                self.ending = why
                self._ending_since = time.monotonic()
                log.info("run_ending", why=why.value)

    def tell(self) -> bool:
        """Let the body know whether it must end."""
        self.told = self.told or self.ending is not None
        return self.told

    def is_overdue(self) -> bool:
        """Tell whether the body had its grace and did not return."""
        if self.ending is None:
            return False
        closed = self.ending is Ending.CLOSED
        grace = self.policy.stop_grace_seconds if closed else self.policy.return_grace_seconds
        return time.monotonic() - self._ending_since >= grace

    def take_report(self) -> bool:
        """Return True to the one thread that is to report the run's end."""
        with self._deciding:
            taken, self._report_taken = self._report_taken, True
            return not taken

    def gives_up_reporting(self) -> bool:
        """Tell whether reporting is pointless, or the worker can't wait for it any longer."""
        if self._worker_stops():
            self._stop_seen = self._stop_seen or time.monotonic()
        stopping_for = time.monotonic() - self._stop_seen if self._stop_seen else 0.0
        return self.ending is Ending.FENCED or stopping_for >= self.policy.stop_grace_seconds

    def _send_progress(self) -> None:
        percent, now = self._percent, time.monotonic()
        waits = percent < 100 and now - self._progress_sent < self.policy.progress_seconds
        if percent > self._percent_known and not waits:
            self._progress_sent = now
            self._talk(lambda: self._update_progress(percent))

    def _send_interim(self) -> None:
        interim, now = self._interim, time.monotonic()
        if interim != self._interim_known and now - self._interim_sent >= self.policy.progress_seconds:
            self._interim_sent = now
            self._talk(lambda: self._update_interim(interim))

    def _update_interim(self, interim: Any) -> bool:
        run_count = self.task.run_count
        stop = self.client.update(self.task.task_id, field="result", value=interim, run_count=run_count)
        self._interim_known = interim
        return stop

    def _update_progress(self, percent: int) -> bool:
        run_count = self.task.run_count
        stop = self.client.update(self.task.task_id, field="progress", value=percent, run_count=run_count)
        self._percent_known = percent
        return stop

    def _beat(self) -> bool:
        return self.client.heartbeat(self.task.task_id, self.task.run_count).stop_requested

    def _talk(self, call: Callable[[], bool]) -> None:
        """Call the server unless another thread does so already, and take in what it says."""
        if not self._talking.acquire(blocking=False):
            return
        try:
            stop_requested = call()
        except (StaleRun, TaskNotFound):
            self.end(Ending.FENCED)
        except ProgressBackwards as error:
            self._percent_known = int(error.details.get("present", self._percent))
        except PlatformError as error:
            self._reachable, self._retry_at = False, time.monotonic() + 1.0
            log.warning("lease_not_renewed", problem=str(error))
        else:
            self._reachable, self._heard = True, time.monotonic()
            if stop_requested:
                self.end(Ending.CLOSED)
        finally:
            self._talking.release()
