"""A MariaDB server of the tests' own: free port, own data folder, ended with the tests."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

from shared.ops.servers.mariadb import install_data, server_argv
from tests.support.processes import Proc, free_port
from tests.support.waiting import wait_for


class ServerDied(Exception):
    """The server ended while it started; the message is the end of its log."""


def start_server(folder: Path) -> MariaDbServer:
    """Return a running server; a port that somebody took in between is tried once more."""
    try:
        return MariaDbServer(folder / "first")
    except ServerDied:
        return MariaDbServer(folder / "second")


class MariaDbServer:
    """A running server; `make_url` gives each caller a database of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.port = free_port()
        self._socket = folder / "data" / "m.sock"
        install_data(folder, "--auth-root-authentication-method=normal")
        self._folder = folder
        self._argv = server_argv(folder, self.port)
        self.start()

    def start(self) -> None:
        """Start it, again if it was killed; return when it takes connections."""
        self._server = Proc("mariadbd", self._argv, self._folder)
        try:
            wait_for(self._answers, 60, "MariaDB", not_yet=pymysql.Error)
        except BaseException:
            self.stop()
            raise

    def kill(self) -> None:
        """End it as the kernel's out-of-memory killer would; what was committed is kept."""
        self._server.kill()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop it as SIGSTOP does: its connections stay and nobody answers."""
        self._server.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self._server.send(signal.SIGCONT)

    def make_url(self) -> str:
        """Create an empty database and return its address."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        connection = self._connect()
        with connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        """Return the address of a database."""
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/{name}"

    def set_global(self, variable: str, value: int) -> None:
        """Change one of the server's settings until it ends."""
        connection = self._connect()
        with connection, connection.cursor() as cursor:
            cursor.execute(f"SET GLOBAL {variable} = {value}")

    def stop(self) -> None:
        """End the server."""
        self._server.stop()

    def _answers(self) -> bool:
        if self._server.process.poll() is not None:
            raise ServerDied(self._server.text()[-2000:])
        # By its socket: on the port another server may answer that took it since it was found free.
        pymysql.connect(unix_socket=str(self._socket), user="root", connect_timeout=2).close()
        return True

    def _connect(self) -> pymysql.Connection:
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", connect_timeout=2)
