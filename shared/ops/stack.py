"""`make stack`: MariaDB, RabbitMQ or Redis, and nginx, each of this checkout's own, on ports that were free."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from shared.ops.kept import Kept
from shared.ops.layout import HostError, Layout, Way
from shared.ops.servers import mariadb, nginx, rabbitmq, redis
from shared.ops.servers.mariadb import MariaDb
from shared.ops.servers.nginx import Nginx
from shared.ops.servers.rabbitmq import RabbitMq
from shared.ops.servers.redis import Redis

TASKS, ORDERS = "gm_async_task", "gm_service"
_PASSWORD_BYTES = 18


def make_stack(broker: str | None) -> Way:
    """Return the way with `broker`, rabbitmq or redis; None: as it was, at first rabbitmq."""
    return Way(
        folder=".stack",
        start_command="make stack",
        stop_command="make stack-stop",
        demo_command="make demo STACK=1",
        first_port=8100,
        workers=2,
        lay_out=partial(_lay_out, broker),
        asked_for={"GM_STACK_BROKER": broker} if broker else {},
    )


def _lay_out(broker: str | None, root: Path, folder: Path, kept: Kept, settings: Mapping[str, str]) -> Layout:
    chosen = broker or kept.before("GM_STACK_BROKER", "rabbitmq")
    kept.values["GM_STACK_BROKER"] = chosen
    refuse_without(find_missing(chosen))
    databases = _make_databases(folder, kept)
    bell = _BROKERS[chosen](folder, kept)
    front = Nginx(
        root, folder / "nginx", kept.port("GM_NGINX_PORT", 8080), settings["GM_SERVICE_BIND"], settings["GM_FILES_DIR"]
    )
    of_servers = {
        "GM_ASYNC_TASK_DATABASE_URL": databases.url(TASKS),
        "GM_SERVICE_DATABASE_URL": databases.url(ORDERS),
        "GM_BROKER_URL": bell.url,
        "GM_ACCEL_LOCATION": "/files/",
        "GM_TRUSTED_PROXIES": "1",
    }
    return Layout({**settings, **of_servers}, front.url, servers=[databases, bell], front=front)


def _make_databases(folder: Path, kept: Kept) -> MariaDb:
    passwords = {name: kept.secret(f"GM_STACK_PASSWORD_{name.upper()}", _PASSWORD_BYTES) for name in (TASKS, ORDERS)}
    return MariaDb(folder / "mariadb", kept.port("GM_MARIADB_PORT", 8110), passwords)


def _make_rabbitmq(folder: Path, kept: Kept) -> RabbitMq:
    return RabbitMq(
        folder / "rabbitmq",
        port=kept.port("GM_RABBITMQ_PORT", 8111),
        node_port=kept.port("GM_RABBITMQ_NODE_PORT", 8112),
        names_port=kept.port("GM_EPMD_PORT", 8113),
        password=kept.secret("GM_STACK_PASSWORD_RABBITMQ", _PASSWORD_BYTES),
    )


def _make_redis(folder: Path, kept: Kept) -> Redis:
    return Redis(
        folder / "redis",
        port=kept.port("GM_REDIS_PORT", 8114),
        password=kept.secret("GM_STACK_PASSWORD_REDIS", _PASSWORD_BYTES),
    )


_BROKERS: Mapping[str, Callable[[Path, Kept], RabbitMq | Redis]] = {"rabbitmq": _make_rabbitmq, "redis": _make_redis}
BROKERS = tuple(_BROKERS)


def find_missing(broker: str) -> list[str]:
    """Return the programs of the servers that this machine lacks."""
    bell = rabbitmq if broker == "rabbitmq" else redis
    return [name for server in (mariadb, bell, nginx) for name in server.find_missing()]


def refuse_without(missing: Sequence[str]) -> None:
    """Say what to do about servers that are not here.

    Raises:
        HostError: some are missing.
    """
    if missing:
        raise HostError(
            f"not found: {', '.join(missing)}; `make servers` installs what is needed on Debian and Ubuntu, "
            "and `make run` needs no servers"
        )
