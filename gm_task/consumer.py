"""Lets only messages of our own shape reach Celery, which some others would bring down (seen with Celery 5.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from celery import signals
from celery.worker.consumer import Consumer
from vine import promise as vine_promise

log = structlog.get_logger(__name__)
_MAX_ID_CHARACTERS = 64
# What would make Celery wait, end the child, or send further messages: none of it is a doorbell's business.
_REFUSED_HEADERS = ("eta", "expires", "timelimit", "group", "chord", "compression", "stamped_headers", "replyto")


class MessageRefused(ValueError):
    """A message is no doorbell; it is dropped, and the worker lives on."""


class GuardedConsumer(Consumer):
    """Celery's consumer behind a door-keeper."""

    def create_task_handler(self, promise: Any = vine_promise) -> Callable[[Any], None]:
        """Return the function that takes each message from the broker."""
        handle = super().create_task_handler(promise)

        def on_message(message: Any) -> None:
            try:
                check_message(message)
                handle(message)
            except (*self.connection_errors, *self.channel_errors):
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
