"""Rings the bell for a task: `get_task_queue().send_task(task_name, args=[task_id], queue=conf.gm_task_queue)`."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import structlog
from celery import Celery
from kombu.exceptions import KombuError
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from shared.broker.settings import make_celery, make_queue
from shared.broker.transports import kind_of
from shared.context import current_request_id
from shared.errors import Unavailable
from shared.settings import FROM_ENVIRONMENT

RUN_COUNT_HEADER = "run_count"
REQUEST_ID_HEADER = "request_id"
SENT_AT_HEADER = "sent_at"
"""seconds since 1970, by the sender's clock"""
CONFIRM_TIMEOUT_SECONDS = 1.0
# After a send that failed nothing is tried for so long: every thread would wait for a broker that is away.
PAUSE_SECONDS = 1.0
# A pooled connection that the broker closed meanwhile fails at once, and deserves a second try.
_AT_ONCE_SECONDS = 0.5
log = structlog.get_logger(__name__)


class TaskQueue:
    """Sends messages; safe to share between threads, and to make before a fork."""

    def __init__(self, app: Celery, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._clock = clock
        self._kind = kind_of(app.conf.broker_url)
        self._away_until = -math.inf

    def send_task(
        self,
        task_name: str,
        args: Sequence[int],
        queue: str,
        *,
        run_count: int = 0,
        request_id: str | None = None,
    ) -> None:
        """Ring for the task `args[0]`, within about 2 seconds; the sweeper repeats what fails.

        `run_count` is the one that the sender saw: a doorbell that comes twice starts nothing the second time.

        Raises:
            Unavailable: the broker did not take the message; it may have arrived all the same.
        """
        request_id = request_id or current_request_id()
        headers = {RUN_COUNT_HEADER: run_count, REQUEST_ID_HEADER: request_id, SENT_AT_HEADER: time.time()}
        if self._clock() < self._away_until:
            raise Unavailable(what="broker")
        try:
            self._send(task_name, args, queue, headers)
        except self._failures() as error:
            self._away_until = self._clock() + PAUSE_SECONDS
            log.warning("doorbell_failed", task_id=args[0], queue=queue, problem=str(error))
            raise Unavailable(what="broker") from error

    def _send(self, task_name: str, args: Sequence[int], queue: str, headers: dict[str, Any]) -> None:
        """Send once, or twice where the first try shows at once that its connection was a dead one."""
        began = self._clock()
        try:
            self._send_once(task_name, args, queue, headers)
        except self._failures() as error:
            if self._clock() - began > _AT_ONCE_SECONDS:
                raise
            log.info("doorbell_tried_again", task_id=args[0], problem=str(error))
            self._send_once(task_name, args, queue, headers)

    def _send_once(self, task_name: str, args: Sequence[int], queue: str, headers: dict[str, Any]) -> None:
        # A queue object, not its name: it is declared with the send, whether or not a worker ever came.
        self._app.send_task(
            task_name,
            args=list(args),
            queue=make_queue(queue, self._kind),
            headers=headers,
            retry=False,
            ignore_result=True,
            timeout=CONFIRM_TIMEOUT_SECONDS,
            confirm_timeout=CONFIRM_TIMEOUT_SECONDS,
        )

    def _failures(self) -> tuple[type[BaseException], ...]:
        connection = self._app.connection_for_write()
        return (KombuError, OSError, *connection.connection_errors, *connection.channel_errors)


class _QueueSettings(BaseSettings):
    model_config = FROM_ENVIRONMENT

    broker_url: SecretStr = Field(description="see shared.settings.CommonSettings")


_building = threading.Lock()


def make_task_queue(broker_url: str, testing: bool = False) -> TaskQueue:
    """Return a sender for the broker at `broker_url`; nothing is connected yet.

    Raises:
        BrokerRefused: see `shared.broker.settings.check_broker_url`.
    """
    return TaskQueue(make_celery("gm_sender", broker_url, testing=testing))


def get_task_queue() -> TaskQueue:
    """Return this process's sender to the broker named by GM_BROKER_URL, made when first asked for."""
    with _building:
        return _task_queue()


@lru_cache(maxsize=1)
def _task_queue() -> TaskQueue:
    settings: Any = _QueueSettings()
    return make_task_queue(settings.broker_url.get_secret_value())
