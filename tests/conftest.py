"""Databases for every room, and the one line that says what this machine left out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import mariadb, nginx

SERVERS_REQUIRED = os.environ.get("GM_REQUIRE_SERVERS") == "1"
LEFT_OUT = "left out: tests on MariaDB (no mariadbd here; Debian's package mariadb-server has it)"


LEFT_OUT_SCRIPTS = "left out: tests of the pages' scripts (no node here; Debian's package nodejs has it)"


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mariadb.MariaDbServer]:
    """A MariaDB server of this test process; skips where there is none, unless servers are required."""
    missing = mariadb.find_missing()
    if missing and not SERVERS_REQUIRED:
        pytest.skip(f"MariaDB is not here ({', '.join(missing)})")
    server = mariadb.start_server(tmp_path_factory.mktemp("mariadb"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def nginx_program() -> str:
    """The path of nginx; skips where there is none, unless servers are required."""
    program = nginx.find_program()
    if program is None:
        assert not SERVERS_REQUIRED, "nginx is not here"
        pytest.skip("nginx is not here")
    return program


@pytest.fixture
def make_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Return the address of an empty database of the kind named: `sqlite` or `mariadb`."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/test.db"
        server: mariadb.MariaDbServer = request.getfixturevalue("mariadb_server")
        return server.make_url()

    return make


@pytest.fixture(params=["sqlite", "mariadb"])
def database_url(request: pytest.FixtureRequest, make_database_url: Callable[[str], str]) -> str:
    """The address of an empty database, on each kind that this machine has."""
    return make_database_url(request.param)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, and how to get it."""
    if mariadb.find_missing():
        terminalreporter.write_line(LEFT_OUT, yellow=True)
    if nginx.find_program() is None:
        terminalreporter.write_line(nginx.LEFT_OUT, yellow=True)
    if shutil.which("node") is None:
        terminalreporter.write_line(LEFT_OUT_SCRIPTS, yellow=True)
