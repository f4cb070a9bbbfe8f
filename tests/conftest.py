"""Databases and whole platforms for every room, and the one line that says what this machine left out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.ops.servers import mariadb, nginx, rabbitmq, redis
from shared.ops.servers.program import the_program
from tests.support import worker_hosts
from tests.support.cluster import Cluster
from tests.support.mariadb import MariaDbServer, start_server
from tests.support.platforms import start_platform

SERVERS_REQUIRED = os.environ.get("GM_REQUIRE_SERVERS") == "1"


@dataclass(frozen=True)
class Server:
    """What some tests need and a machine may lack."""

    name: str
    find_missing: Callable[[], list[str]]
    left_out: str
    """what is left out without it"""
    package: str
    """the Debian package that has it"""

    def need(self) -> None:
        """Skip the test where it is absent, unless servers are required: then the test goes on and fails."""
        missing = self.find_missing()
        if missing and not SERVERS_REQUIRED:
            pytest.skip(f"{self.name} is not here ({', '.join(missing)})")


MARIADB = Server("MariaDB", mariadb.find_missing, "tests on MariaDB", "mariadb-server")
RABBITMQ = Server("RabbitMQ", rabbitmq.find_missing, "tests on RabbitMQ", "rabbitmq-server")
REDIS = Server("Redis", redis.find_missing, "tests on Redis", "redis-server")
NGINX = Server("nginx", nginx.find_missing, "tests behind nginx", "nginx")
GRAPHVIZ = Server(
    "Graphviz", lambda: [] if shutil.which("dot") else ["dot"], "pictures of the graphs of jobs", "graphviz"
)
NODE = Server("Node", lambda: [] if shutil.which("node") else ["node"], "tests of the pages' scripts", "nodejs")


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDbServer]:
    """A MariaDB server of this test process; skips where there is none, unless servers are required."""
    MARIADB.need()
    server = start_server(tmp_path_factory.mktemp("mariadb"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def nginx_program() -> str:
    """The path of nginx; skips where there is none, unless servers are required."""
    NGINX.need()
    return the_program("nginx")


@pytest.fixture
def graphviz() -> None:
    """Graphviz is here; skips where it is not, unless servers are required."""
    GRAPHVIZ.need()


@pytest.fixture(scope="module")
def make_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Cluster]]:
    """Return what starts a whole platform: on the embedded parts, or on MariaDB with `rabbitmq` or `redis`.

    Its servers are its own, so that a test may kill them; all of it ends with the module's tests.
    """
    with ExitStack() as ends:

        def make(kind: str, rabbit_args: str = "", **environment: str) -> Cluster:
            if kind != "embedded":
                (RABBITMQ if kind == "rabbitmq" else REDIS).need()
                MARIADB.need()
            folder = tmp_path_factory.mktemp(kind)
            return start_platform(kind, folder, ends, rabbit_args=rabbit_args, **environment)

        yield make


@pytest.fixture
def make_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Return the address of an empty database of the kind named: `sqlite` or `mariadb`."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/test.db"
        server: MariaDbServer = request.getfixturevalue("mariadb_server")
        return server.make_url()

    return make


@pytest.fixture(params=["sqlite", "mariadb"])
def database_url(request: pytest.FixtureRequest, make_database_url: Callable[[str], str]) -> str:
    """The address of an empty database, on each kind that this machine has."""
    return make_database_url(request.param)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, and how to get it."""
    for server in (MARIADB, RABBITMQ, REDIS, NGINX, NODE, GRAPHVIZ):
        if missing := server.find_missing():
            terminalreporter.write_line(
                f"left out: {server.left_out} (no {missing[0]} here; Debian's package {server.package} has it)",
                yellow=True,
            )
    if missing := worker_hosts.find_missing():
        terminalreporter.write_line(
            f"in part: the second worker host shares our network (no {missing[0]})", yellow=True
        )
