"""What a worker's parent process does for tasks: gives back lost runs, and bells for functions that it lacks.

Each is one call of the task API, made by a thread of its own so that the worker's loop never waits for it.
Both are only faster than what happens anyway: the lease expires, the sweeper rings again.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from billiard.exceptions import WorkerLostError

from gm_task.runner import find_task_id, owner_name
from gm_task.serving import Serving
from shared.errors import PlatformError
from shared.metrics.meters import Meters
from shared.metrics.table import CHILDREN_LOST, REFUSED_MESSAGES, WORKER
from shared.retry import Patience, call_patiently
from shared.task_api.client import TaskClient
from shared.task_api.lanes import base_queue
from shared.task_api.transport import Transport
from shared.task_api.worker_client import WorkerClient

log = structlog.get_logger(__name__)
_PATIENCE = Patience(seconds=30.0, longest_delay_seconds=3.0)
_MAX_WAITING = 1000


class Supervision:
    """The handlers of Celery's signals in the parent process."""

    def __init__(
        self,
        make_transport: Callable[[], Transport],
        worker_name: str,
        serving: Serving,
        meters: Meters | None = None,
    ) -> None:
        self._meters = meters or Meters(WORKER)
        self._make_transport = make_transport
        self._worker_name = worker_name
        self._serving = serving
        self._waiting: queue.Queue[Callable[[Transport], None] | None] = queue.Queue(_MAX_WAITING)
        self._thread: threading.Thread | None = None
        self.refused_messages = 0
        """unknown names and malformed messages so far"""

    def on_task_failure(self, *, task_id: str, args: Any, exception: BaseException, **_signal: Any) -> None:
        """Give back the run of a child process that died; the server decides by `repeat` what becomes of it."""
        task = find_task_id(args)
        if not isinstance(exception, WorkerLostError) or task is None:
            return
        self._meters.count(CHILDREN_LOST)
        log.error("child_lost", task_id=task, message_id=task_id, problem=str(exception))
        owner = owner_name(self._worker_name, task_id)
        self._later(lambda transport: TaskClient(transport).release(task, owner=owner, lost=True))

    def on_task_unknown(self, *, name: object, message: Any, **_signal: Any) -> None:
        """Give a bell back whose function this worker lacks: another may have it, now or soon."""
        self.refused_messages += 1
        self._meters.count(REFUSED_MESSAGES, kind="unknown")
        task_id = find_task_id(_message_args(message))
        log.info("task_refused", name=str(name)[:200], task_id=task_id, refused=self.refused_messages)
        if task_id is not None and isinstance(name, str):
            rung = (message.delivery_info or {}).get("routing_key")
            queue_name = base_queue(rung) if isinstance(rung, str) else None
            self._later(lambda transport: self._refuse(WorkerClient(transport), task_id, name, queue_name))

    def on_task_rejected(self, *, exc: object, **_signal: Any) -> None:
        """Count a message that could not be read; its task, if it had one, is found by the sweeper."""
        self.refused_messages += 1
        self._meters.count(REFUSED_MESSAGES, kind="malformed")
        log.error("message_refused", problem=str(exc)[:500], refused=self.refused_messages)

    def finish(self, seconds: float) -> None:
        """Wait at most `seconds` for the calls that are under way."""
        if self._thread is not None:
            deadline = time.monotonic() + seconds
            with suppress(queue.Full):  # the service is away, and so much waits for it that nothing more is taken
                self._waiting.put(None, timeout=seconds)
            self._thread.join(max(0.0, deadline - time.monotonic()))

    def _refuse(self, client: WorkerClient, task_id: int, name: str, queue_name: str | None) -> None:
        if client.refuse(task_id, task_name=name[:200], worker=self._worker_name, queue=queue_name):
            self._serving.note_known_elsewhere(name)

    def _later(self, call: Callable[[Transport], None]) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="supervision", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(call)
        except queue.Full:
            log.error("supervision_overrun", waiting=_MAX_WAITING)

    def _work(self) -> None:
        transport = self._make_transport()
        while (call := self._waiting.get()) is not None:
            try:
                call_patiently(lambda call=call: call(transport), _PATIENCE, event="supervision")  # type: ignore[misc]
            except PlatformError as error:
                log.info("supervision_refused", problem=str(error))


def _message_args(message: Any) -> object:
    """Return the positional arguments of a message of protocol 2, None where it has none that can be read."""
    try:
        payload = message.payload
    except Exception as error:  # whatever a decoder makes of hostile bytes
        log.info("message_unreadable", problem=str(error)[:200])
        return None
    return payload[0] if isinstance(payload, list | tuple) and payload else None
