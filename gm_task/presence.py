"""Reports a worker to the task service and takes its word on what to serve: a thread of the parent process.

It never waits for the children, so that a busy worker is as present as an idle one. While the service is away the
worker keeps what it has.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import structlog

from gm_task.serving import Serving
from shared.errors import PlatformError
from shared.task_api.worker_client import WorkerClient

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 0.5
_LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a worker is, for as long as it lives."""

    name: str
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    """base queues that it is set up for"""
    functions: tuple[str, ...]
    concurrency: int


class Presence:
    """The thread, and the end of it."""

    def __init__(
        self,
        make_client: Callable[[], WorkerClient],
        identity: Identity,
        serving: Serving,
        worker_stops: Callable[[], bool],
    ) -> None:
        self._make_client = make_client
        self._identity = identity
        self._serving = serving
        self._worker_stops = worker_stops
        self._ended = threading.Event()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._live, name="presence", daemon=True)

    def start(self) -> None:
        """Begin to report; call it in the parent process, once."""
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Say that the worker has ended, within `seconds`: later it is found silent."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _live(self) -> None:
        client = self._make_client()
        while not self._ended.is_set():
            stopping = self._worker_stops()
            self._wait(self._report(client, stopping), stopping)
        self._leave(client)

    def _report(self, client: WorkerClient, stopping: bool) -> float:
        """Report, and return after how many seconds to do so again."""
        said = asdict(self._identity) | {"runs": self._serving.report_running()}
        if stopping:  # it ends what it runs and hears nothing more
            said["queues"] = ()
        try:
            answer = client.report(**said, started_seconds=time.monotonic() - self._began)
        except PlatformError as error:
            log.warning("presence_not_reported", problem=str(error))
            return _RETRY_SECONDS
        if not stopping:
            self._serve(frozenset(answer.serve), answer.drained)
        return answer.report_seconds

    def _serve(self, queues: frozenset[str], drained: bool) -> None:
        if queues != self._serving.queues:
            log.info("serving_changed", queues=sorted(queues), drained=drained)
            self._serving.queues = queues

    def _wait(self, seconds: float, stopping: bool) -> None:
        """Wait for the next report; that the worker stops is told at once."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self._worker_stops() == stopping:
            if self._ended.wait(min(_LOOK_SECONDS, left)):
                return

    def _leave(self, client: WorkerClient) -> None:
        try:
            client.leave(self._identity.name)
        except PlatformError as error:
            log.warning("presence_not_ended", problem=str(error))
