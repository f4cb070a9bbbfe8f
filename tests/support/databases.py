"""The two databases of one platform, as files or on a MariaDB server that tests may kill."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text

from tests.support.mariadb import MariaDbServer


class Databases:
    """Addresses of the task table's database and of the orders' one."""

    def __init__(self, tasks_url: str, orders_url: str) -> None:
        self.tasks_url, self.orders_url = tasks_url, orders_url

    def read_orders(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Ask the orders' database itself."""
        engine = create_engine(self.orders_url, poolclass=NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def kill(self) -> None:
        """Take both away as a crash would."""
        raise NotImplementedError

    def start(self) -> None:
        """Bring both back with all that was committed."""
        raise NotImplementedError


class EmbeddedDatabases(Databases):
    """Two SQLite files. They have no process: what comes nearest to a crash is that nobody can write."""

    def __init__(self, folder: Path) -> None:
        self._files = [folder / "tasks.db", folder / "orders.db"]
        self._locks: list[sqlite3.Connection] = []
        super().__init__(*(f"sqlite:///{file}" for file in self._files))

    def kill(self) -> None:
        """Lock both."""
        self._locks = [sqlite3.connect(file, isolation_level=None, timeout=10) for file in self._files]
        for lock in self._locks:
            lock.execute("BEGIN EXCLUSIVE")

    def start(self) -> None:
        """Unlock both."""
        for lock in self._locks:
            lock.close()
        self._locks = []


class MariaDbDatabases(Databases):
    """Two databases of one server."""

    def __init__(self, server: MariaDbServer, names: tuple[str, str] | None = None) -> None:
        """Make two databases, or take those of these names that the server has already."""
        urls = [server.url_of(name) for name in names] if names else [server.make_url(), server.make_url()]
        super().__init__(*urls)
        self.server = server

    def kill(self) -> None:
        """Kill the server."""
        self.server.kill()

    def start(self) -> None:
        """Start it again; it repairs itself."""
        self.server.start()
