"""A whole platform on one of the three things it can stand on, each server its own, for tests and benchmarks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.support.cluster import Cluster
from tests.support.databases import MariaDbDatabases
from tests.support.mariadb import start_server
from tests.support.rabbitmq import RabbitMq
from tests.support.redis import RedisServer

KINDS = ("embedded", "rabbitmq", "redis")
"""the embedded parts, MariaDB with RabbitMQ, MariaDB with Redis"""


def start_platform(
    kind: str, folder: Path, ends: ExitStack, *, rabbit_args: str = "", demo_orders: bool = True, **environment: str
) -> Cluster:
    """Start a platform of this kind; leaving `ends` ends it and its servers."""
    servers: dict[str, Any] = {} if kind == "embedded" else start_servers(kind, folder, ends, rabbit_args)
    return ends.enter_context(Cluster(folder, demo_orders=demo_orders, **servers, **environment))


def start_servers(kind: str, folder: Path, ends: ExitStack, rabbit_args: str = "") -> dict[str, Any]:
    """Start MariaDB and this broker at once and return them under the names that `Cluster` takes them by."""

    def start_databases() -> MariaDbDatabases:
        server = start_server(folder)
        ends.callback(server.stop)
        return MariaDbDatabases(server)

    def start_broker() -> RabbitMq | RedisServer:
        place = folder / "broker"
        server = RabbitMq(place, rabbit_args) if kind == "rabbitmq" else RedisServer(place)
        ends.callback(server.stop)
        return server

    with ThreadPoolExecutor(2) as starting:
        broker, databases = starting.submit(start_broker), starting.submit(start_databases)
    return {"broker": broker.result(), "databases": databases.result()}
