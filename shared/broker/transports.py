"""What each kind of broker is told beyond Celery's settings: bounded waits, confirms, queues, and how it is watched.

Every figure here has its reason beside it; docs/operations.md says what the servers must be told in turn.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

CONNECT_TIMEOUT_SECONDS = 2.0
# A worker's call to RabbitMQ, such as declaring a queue: the first after a crash waits for the queue's log.
_RABBITMQ_READ_SECONDS = 10.0
# Redis answers each wait for a message within a second; one that is silent for so long and a second is given up.
_REDIS_SILENCE_SECONDS = 8
# Doorbells that a worker took and never began come back after this; the keeper rings long before.
_VISIBILITY_TIMEOUT_SECONDS = 3600


class Kind(StrEnum):
    """The brokers that the platform relies on, and the one of tests."""

    DOORBELL = "doorbell"
    RABBITMQ = "rabbitmq"
    REDIS = "redis"
    MEMORY = "memory"


KINDS = {
    "doorbell": Kind.DOORBELL,
    "amqp": Kind.RABBITMQ,
    "amqps": Kind.RABBITMQ,
    "pyamqp": Kind.RABBITMQ,
    "redis": Kind.REDIS,
    "rediss": Kind.REDIS,
    "memory": Kind.MEMORY,
}


def kind_of(url: str) -> Kind:
    """Return what kind of broker `url` names.

    Raises:
        KeyError: none that is known; `shared.broker.settings.check_broker_url` says so in a sentence.
    """
    return KINDS[urlsplit(url).scheme]


def queue_arguments(kind: Kind) -> dict[str, str] | None:
    """Return what a queue is declared with: on RabbitMQ the kind that a crash and a lost node leave whole."""
    return {"x-queue-type": "quorum"} if kind is Kind.RABBITMQ else None


def sender_options(kind: Kind) -> dict[str, Any]:
    """Return transport options that bound every step of a send, and leave trying again to the sweeper."""
    once = {"max_retries": 1, "interval_start": 0.0, "connect_retries_timeout": CONNECT_TIMEOUT_SECONDS}
    if kind is Kind.RABBITMQ:
        waits = {"read_timeout": CONNECT_TIMEOUT_SECONDS, "write_timeout": CONNECT_TIMEOUT_SECONDS}
        return once | waits | {"confirm_publish": True}
    if kind is Kind.REDIS:
        return once | _redis_waits()
    return once


def worker_options(kind: Kind) -> dict[str, Any]:
    """Return a worker's transport options; its connection is tried again by Celery, for ever."""
    if kind is Kind.RABBITMQ:
        return {"read_timeout": _RABBITMQ_READ_SECONDS, "write_timeout": _RABBITMQ_READ_SECONDS}
    if kind is Kind.REDIS:
        watched = {"health_check_interval": _REDIS_SILENCE_SECONDS}
        return _redis_waits() | watched | {"visibility_timeout": _VISIBILITY_TIMEOUT_SECONDS}
    return {}


def worker_settings(kind: Kind) -> dict[str, Any]:
    """Return Celery's settings that only one kind of broker knows."""
    # What a busy worker does not take, an idle one may.
    return {"worker_disable_prefetch": True} if kind is Kind.REDIS else {}


def _redis_waits() -> dict[str, float]:
    return {"socket_timeout": CONNECT_TIMEOUT_SECONDS, "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS}
