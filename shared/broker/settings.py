"""How this platform sets Celery up, for whoever sends and whoever works (RELIABILITY.md section 3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from kombu import Exchange, Queue
from kombu.transport import TRANSPORT_ALIASES

from shared.broker import doorbell
from shared.broker.transports import (
    CONNECT_TIMEOUT_SECONDS,
    KINDS,
    Kind,
    kind_of,
    queue_arguments,
    sender_options,
    worker_options,
    worker_settings,
)
from shared.errors import CannotStart

_REFUSED = {
    "filesystem": "it loses messages under plain concurrency",
    "sqla": "it moves a handful of messages a second and loses those of a killed worker",
    "sqlalchemy": "it moves a handful of messages a second and loses those of a killed worker",
    "memory": "it reaches no other process and is for tests only",
    "sentinel": "it can't be told by an address alone which master to follow",
}
# kombu's own transport, behind a check of what comes; by name, so that only who uses Redis loads its client.
_GUARDED = dict.fromkeys(("redis", "rediss"), "shared.broker.guarded_redis:Transport")
_OFFERED = "use doorbell:////absolute/path.sqlite, amqp://... (RabbitMQ) or redis://..."


class BrokerRefused(CannotStart):
    """The broker's address is of a kind that this platform can't rely on."""


def check_broker_url(url: str, testing: bool = False) -> str:
    """Return `url` when its broker is one to rely on; `testing` lets memory:// pass.

    Raises:
        BrokerRefused: with a sentence that says why and what to use; it never shows the address.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.split("+")[0]
    if scheme in _REFUSED and not (testing and scheme == "memory"):
        raise BrokerRefused(f"The broker {scheme}:// is refused because {_REFUSED[scheme]}; {_OFFERED}.")
    if parts.scheme not in KINDS:
        raise BrokerRefused(f"The broker {parts.scheme or 'without a scheme'} is not known; {_OFFERED}.")
    if scheme == doorbell.SCHEME and (parts.netloc or not parts.path.startswith("//")):
        raise BrokerRefused("A doorbell broker needs an absolute path behind four slashes: doorbell:////path.sqlite.")
    if scheme != doorbell.SCHEME and ";" in url:
        raise BrokerRefused(f"One broker address is wanted, not several; {_OFFERED}.")
    return url


def make_queue(name: str, kind: Kind) -> Queue:
    """Return the direct queue `name`; its exchange and routing key have the same name."""
    exchange = Exchange(name, type="direct", durable=True)
    return Queue(name, exchange, routing_key=name, durable=True, queue_arguments=queue_arguments(kind))


def make_celery(name: str, broker_url: str, queues: Iterable[str] = (), testing: bool = False) -> Celery:
    """Return a Celery application with the platform's habits that consumes `queues`; without them it only sends.

    Nothing is connected yet.

    Raises:
        BrokerRefused: see `check_broker_url`.
    """
    check_broker_url(broker_url, testing)
    kind = kind_of(broker_url)
    doorbell.register()
    TRANSPORT_ALIASES.update(_GUARDED)
    app = Celery(name, set_as_current=False)
    app.conf.update(_WIRE | {"broker_url": broker_url})
    if table := tuple(make_queue(queue, kind) for queue in queues):
        app.conf.update(_WORKER | worker_settings(kind))
        app.conf.update(task_queues=table, broker_transport_options=worker_options(kind))
    else:
        app.conf.update(_SENDER | {"broker_transport_options": sender_options(kind)})
    return app


_WIRE: dict[str, Any] = {
    "accept_content": ["json"],
    "result_accept_content": ["json"],
    "task_serializer": "json",
    "result_serializer": "json",
    "event_serializer": "json",
    "task_protocol": 2,
    "task_ignore_result": True,
    "task_store_errors_even_if_ignored": False,
    "result_backend": None,
    "task_publish_retry": False,  # the sweeper owns the retry
    "task_create_missing_queues": False,
    "broker_connection_timeout": CONNECT_TIMEOUT_SECONDS,
    "enable_utc": True,
}
_SENDER: dict[str, Any] = {
    # More than a web process has threads: a thread must not wait for another's slow send.
    "broker_pool_limit": 128,
}
_WORKER: dict[str, Any] = {
    "broker_heartbeat": 10,  # Celery uses it for workers alone; an idle sender's connection has none, and stays
    # The lease brings back what a dead worker held; a late acknowledgement only adds doubles (section 3).
    "task_acks_late": False,
    "worker_prefetch_multiplier": 1,
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "task_send_sent_event": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    # Ends only what acknowledges late, and nothing here does: a run goes on while the broker is away.
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    "worker_lost_wait": 0.5,  # how long a killed child's answer is waited for before its run is given back
    "broker_connection_retry": True,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    # A channel that RabbitMQ closes, as over its consumer_timeout, is opened again; Celery would end the worker.
    "broker_channel_error_retry": True,
}
