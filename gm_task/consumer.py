"""Celery's consumer as this worker needs it: it hears the queues that the task service says, and lets only messages of
our own shape reach Celery, which some others would bring down (seen with Celery 5.7).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from celery import signals
from celery.worker.consumer import Consumer
from celery.worker.state import active_requests, maybe_shutdown
from vine import promise as vine_promise

from gm_task.health import Parent
from gm_task.serving import Serving

log = structlog.get_logger(__name__)
TURN_SECONDS = 0.5
_MAX_ID_CHARACTERS = 64
# On RabbitMQ, which delivers again as soon as one is acknowledged, when its run begins: one in hand keeps every child
# busy, and what a busy worker does not hold an idle one may take. On the embedded broker it is one for each child; on
# Redis nothing is taken that no child is free for (shared.broker.transports).
RABBITMQ_PREFETCH = 1
# How soon a change of what to serve is noticed, and how exactly it is known since when something runs.
LOOK_SECONDS = 0.25
# A bell for a function that another worker is known to have is held for so long before it is given up: meanwhile no
# further one comes in its place, and the worker that can do something with them gets most.
HOLD_SECONDS = 0.3
_RECONNECT = {"interval_start": 0.2, "interval_step": 0.3, "interval_max": 2.0}
# What would make Celery wait, end the child, or send further messages: none of it is a doorbell's business.
_REFUSED_HEADERS = ("eta", "expires", "timelimit", "group", "chord", "compression", "stamped_headers", "replyto")


class MessageRefused(ValueError):
    """A message is no doorbell; it is dropped, and the worker lives on."""


class GuardedConsumer(Consumer):
    """Celery's consumer behind a door-keeper, which takes no more doorbells than it can use."""

    class Blueprint(Consumer.Blueprint):
        """Celery's steps but one: it would declare 28 exchanges and queues for delays, which doorbells don't have."""

        default_steps: ClassVar[list[str]] = [
            step for step in Consumer.Blueprint.default_steps if not step.endswith(":DelayedDelivery")
        ]

    def __init__(self, serving: Serving, parent: Parent, *args: Any, **options: Any) -> None:
        self._parent = parent
        super().__init__(*args, **options)
        self._serving = serving
        if self.conninfo.transport.driver_type == "amqp":
            self.initial_prefetch_count = RABBITMQ_PREFETCH

    @property
    def max_prefetch_count(self) -> int:
        """How many doorbells are taken in advance, also after a lost connection."""
        return int(self.initial_prefetch_count)

    def ensure_connected(self, conn: Any) -> Any:
        """Return `conn` connected, however long the broker is away; Celery's own tries get 30 seconds apart."""

        def on_error(error: Exception, _seconds: float) -> None:
            self._parent.turn()
            log.warning("broker_away", broker=conn.as_uri(), problem=str(error)[:200])

        def go_on() -> None:
            self._parent.turn()
            maybe_shutdown()

        self._parent.turn()
        self._parent.connected = False
        connected = conn.ensure_connection(on_error, callback=go_on, **_RECONNECT)
        self._parent.connected = True
        return connected

    def register_with_event_loop(self, hub: Any) -> None:
        """Have the event loop look after what is served, and note that it turns; Celery asks again once connected."""
        super().register_with_event_loop(hub)
        hub.call_repeatedly(LOOK_SECONDS, self._look, hub)
        hub.call_repeatedly(TURN_SECONDS, self._turn)

    def _turn(self) -> None:
        self._parent.processes = len(self.pool._pool._pool)
        self._parent.turn()

    def _look(self, hub: Any) -> None:
        self._serving.note_running(tuple(active_requests))
        if self._heard() != self._serving.queues:
            # Not here: what goes wrong in a timer is only logged, but a lost channel must be opened again.
            hub.call_soon(self._follow)

    def _heard(self) -> frozenset[str]:
        """Return what is heard; Celery keeps it when it connects again."""
        return frozenset(self.app.amqp.queues.consume_from)

    def _follow(self) -> None:
        """Begin and cease to hear queues; what came before of a queue that is no longer heard is still run."""
        if self.task_consumer is None:  # on its way out
            return
        wanted, heard = self._serving.queues, self._heard()
        for name in sorted(heard - wanted):
            self.cancel_task_queue(name)
        for name in sorted(wanted - heard):
            if name in self.app.amqp.queues:
                self.add_task_queue(name)
            else:
                log.error("queue_unknown", queue=name)
        log.info("queues_heard", worker=self.hostname, queues=sorted(self._heard()))

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:  # noqa: ARG002 Celery's signature
        """Give a bell up whose function this worker lacks; the task service decides what becomes of its task."""
        name = message.headers["task"]
        signals.task_unknown.send(sender=self, message=message, exc=exc, name=name, id=message.headers["id"])
        if self._serving.is_known_elsewhere(name):
            self.timer.call_after(HOLD_SECONDS, message.reject_log_error, (log, self.connection_errors))
        else:
            message.reject_log_error(log, self.connection_errors)

    def create_task_handler(self, promise: Any = vine_promise) -> Callable[[Any], None]:
        """Return the function that takes each message from the broker."""
        handle = super().create_task_handler(promise)

        def on_message(message: Any) -> None:
            try:
                check_message(message)
                handle(message)
            except (*self.connection_errors, *self.channel_errors) as error:
                if isinstance(error, KeyError):  # kombu counts it as Redis' own; here it is the message's fault
                    self._refuse(message, error)
                else:
                    raise  # Celery connects again
            except Exception as error:  # whatever a hostile message provokes, the other tasks go on
                if not isinstance(error, MessageRefused):
                    log.error("message_broke_handler", exc_info=error)
                self._refuse(message, error)

        return on_message

    def _refuse(self, message: Any, error: Exception) -> None:
        if not message.acknowledged:
            message.reject_log_error(log, self.connection_errors)
        signals.task_rejected.send(sender=self, message=message, exc=error)


def check_message(message: Any) -> None:
    """Let a message pass that has the shape of `TaskQueue.send_task`; whether it names anything true is seen later.

    Raises:
        MessageRefused: saying what is wrong.
    """
    headers = message.headers
    if not isinstance(headers, dict):
        raise MessageRefused("it has no headers")
    for name in ("task", "id"):
        if not isinstance(headers.get(name), str) or not headers[name]:
            raise MessageRefused(f"its header {name} is no text")
    if len(headers["id"]) > _MAX_ID_CHARACTERS:
        raise MessageRefused("its id is too long")
    for name in _REFUSED_HEADERS:
        if _says_something(headers.get(name)):
            raise MessageRefused(f"its header {name} is not one of a doorbell")
    _check_payload(message)


def _check_payload(message: Any) -> None:
    try:
        payload = message.payload
    except Exception as error:  # whatever a decoder makes of hostile bytes; anything but JSON is refused by kombu
        raise MessageRefused(f"its body can't be read: {type(error).__name__}") from error
    match payload:
        case [[int(_)], {**keywords}, {**embedded}] if not keywords and not any(embedded.values()):
            return
    raise MessageRefused("its body is not the id of a task")


def _says_something(value: object) -> bool:
    return any(value) if isinstance(value, list | tuple) else bool(value)
