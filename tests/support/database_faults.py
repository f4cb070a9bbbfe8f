"""Faults of a task service and its database, each with the window in which its effects are excused."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pymysql
import requests
from sqlalchemy.engine import make_url

from tests.support.mariadb import MariaDbServer
from tests.support.proxy import Proxy
from tests.support.task_history import Window
from tests.support.task_load import STATION
from tests.support.task_server import KEY, TaskServer

COMMIT = b"\x03COMMIT"
_ENTRIES_FIRST = (
    "SELECT id FROM tbl_async_task FORCE INDEX (ix_tbl_async_task_status_lease_until) WHERE status IN (1, 2) FOR UPDATE"
)
_SCRATCH = "CREATE TABLE IF NOT EXISTS scratch (n INT) ENGINE=InnoDB"


class Faults:
    """Breaks one thing at a time; `windows` says when."""

    def __init__(self, database: MariaDbServer, url: str, link: Proxy, server: TaskServer) -> None:
        self._database, self._link, self._server = database, link, server
        self._url = make_url(url)
        self.windows: list[Window] = []
        self.deadlocks = 0
        self.reads_while_locked: list[float] = []
        """seconds that each took"""

    def kill_database(self) -> None:
        """kill -9, a second without, and start."""
        with self._window("database killed"):
            self._database.kill()
            _pass(1.0)
            self._database.start()

    def freeze_database(self, seconds: float) -> None:
        """SIGSTOP: connections stay open and nobody answers."""
        with self._window("database frozen"), self._database.frozen():
            _pass(seconds)

    def silence_links(self, seconds: float) -> None:
        """Let nothing pass between service and database, and no end either."""
        with self._window("links silent"):
            self._link.blacken()
            _pass(seconds)
            self._link.clear()
            self._link.cut()

    def cut_links(self) -> None:
        """Close every connection in the middle of whatever it is in (2013)."""
        with self._window("links cut"):
            for _ in range(5):
                self._link.cut()
                _pass(0.1)

    def lose_commits(self) -> None:
        """Cut connections at COMMIT, half of them after the server heard it."""
        with self._window("commits lost"):
            self._link.cut_at(COMMIT, [True, False] * 4)
            _pass(1.0)
            self._link.cut_at(b"", [])

    def lock_rows(self, seconds: float) -> None:
        """Hold the locks of all tasks (1205), and see that who reads doesn't wait for them."""
        with self._window("rows locked"), self._connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM tbl_async_task FOR UPDATE")
            end = time.monotonic() + seconds
            while (began := time.monotonic()) < end:
                self._read()
                self.reads_while_locked.append(time.monotonic() - began)
                _pass(0.3)

    def deadlock(self, enough: int = 3, seconds: float = 15.0) -> None:
        """Lock index entries before their rows, as the service's updates don't, and be the one who is spared (1213)."""
        end, before = time.monotonic() + seconds, self._count_deadlocks()
        with self._window("deadlocks"), self._connect() as connection, connection.cursor() as cursor:
            cursor.execute(_SCRATCH)
            while self.deadlocks < enough and time.monotonic() < end:
                # The one that wrote less is ended.
                cursor.execute("INSERT INTO scratch SELECT seq FROM seq_1_to_200")
                with suppress(pymysql.err.OperationalError):  # ended in the service's place
                    cursor.execute(_ENTRIES_FIRST)
                connection.rollback()
                self.deadlocks = self._count_deadlocks() - before

    def kill_service(self) -> None:
        """kill -9 of the service with all its processes, and start."""
        with self._window("service killed", no_answer=True):
            self._server.kill()
            self._server.start()

    def _read(self) -> None:
        headers, query = {"X-Auth-Key": KEY}, {"station_id": STATION, "limit": "20"}
        answer = requests.get(f"{self._server.address}/task/list", headers=headers, params=query, timeout=60)
        assert answer.ok, answer.text

    @contextmanager
    def _window(self, what: str, *, no_answer: bool = False) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.windows.append(Window(what, began, time.monotonic(), no_answer))

    def _count_deadlocks(self) -> int:
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
            return int(cursor.fetchone()[1])

    def _connect(self) -> pymysql.Connection:
        return pymysql.connect(host="127.0.0.1", port=self._url.port or 0, user="root", database=self._url.database)


def _pass(seconds: float) -> None:
    threading.Event().wait(seconds)  # what a fault lasts
