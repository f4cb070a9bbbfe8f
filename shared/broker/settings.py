"""How this platform sets Celery up, for whoever sends and whoever works (RELIABILITY.md section 3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from kombu import Exchange, Queue

from shared.broker import doorbell

_REFUSED = {
    "filesystem": "it loses messages under plain concurrency",
    "sqla": "it moves a handful of messages a second and loses those of a killed worker",
    "sqlalchemy": "it moves a handful of messages a second and loses those of a killed worker",
    "memory": "it reaches no other process and is for tests only",
}
_OFFERED = "use doorbell:////absolute/path.sqlite, amqp://... (RabbitMQ) or redis://..."
CONNECT_TIMEOUT_SECONDS = 2.0
_SEND_TRIES = 1


class BrokerRefused(ValueError):
    """The broker's address is of a kind that this platform can't rely on."""


def check_broker_url(url: str, testing: bool = False) -> str:
    """Return `url` when its broker is one to rely on; `testing` lets memory:// pass.

    Raises:
        BrokerRefused: with a sentence that says why and what to use; it never shows the address.
    """
    parts = urlsplit(url)
    kind = parts.scheme.split("+")[0]
    if kind in _REFUSED and not (testing and kind == "memory"):
        raise BrokerRefused(f"The broker {kind}:// is refused because {_REFUSED[kind]}; {_OFFERED}.")
    if kind not in (doorbell.SCHEME, "amqp", "amqps", "pyamqp", "redis", "rediss", "sentinel", "memory"):
        raise BrokerRefused(f"The broker {kind or 'without a scheme'} is not known; {_OFFERED}.")
    if kind == doorbell.SCHEME and (parts.netloc or not parts.path.startswith("//")):
        raise BrokerRefused("A doorbell broker needs an absolute path behind four slashes: doorbell:////path.sqlite.")
    return url


def make_queue(name: str) -> Queue:
    """Return the direct queue `name`; its exchange and routing key have the same name."""
    return Queue(name, Exchange(name, type="direct", durable=True), routing_key=name, durable=True)


def make_celery(name: str, broker_url: str, queues: Iterable[str] = (), testing: bool = False) -> Celery:
    """Return a Celery application with the platform's habits that consumes `queues`; without them it only sends.

    Nothing is connected yet.

    Raises:
        BrokerRefused: see `check_broker_url`.
    """
    check_broker_url(broker_url, testing)
    doorbell.register()
    table = tuple(make_queue(queue) for queue in queues)
    app = Celery(name, set_as_current=False)
    app.conf.update(_WIRE | _WORKER | {"broker_url": broker_url})
    app.conf.update(task_queues=table or None, broker_transport_options=_transport_options(broker_url, sends=not table))
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
    "broker_heartbeat": 10,
    "enable_utc": True,
}
_WORKER: dict[str, Any] = {
    # The lease brings back what a dead worker held; a late acknowledgement only adds doubles (section 3).
    "task_acks_late": False,
    "worker_prefetch_multiplier": 1,
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "task_send_sent_event": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    "worker_lost_wait": 0.5,  # how long a killed child's answer is waited for before its run is given back
    "broker_connection_retry": True,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
}


def _transport_options(url: str, sends: bool) -> dict[str, Any]:
    """Bound every step of a send; a worker's connection is retried by Celery itself."""
    once = {"max_retries": _SEND_TRIES, "interval_start": 0.0, "connect_retries_timeout": CONNECT_TIMEOUT_SECONDS}
    kind = urlsplit(url).scheme
    options: dict[str, Any] = dict(once) if sends else {}
    if "amqp" in kind:
        options |= {"confirm_publish": True}
        options |= {"read_timeout": CONNECT_TIMEOUT_SECONDS, "write_timeout": CONNECT_TIMEOUT_SECONDS} if sends else {}
    if "redis" in kind or kind == "sentinel":
        options |= {"socket_timeout": CONNECT_TIMEOUT_SECONDS, "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS}
    return options
