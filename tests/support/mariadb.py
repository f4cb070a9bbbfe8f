"""A MariaDB server of the tests' own: free port, own data folder, ended with the tests."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pymysql

from tests.support.processes import Proc, free_port
from tests.support.waiting import wait_for

BINARIES = ("mariadbd", "mariadb-install-db")


def find_missing() -> list[str]:
    """Return the programs that a server of our own needs and this machine lacks."""
    return [name for name in BINARIES if _program(name) is None]


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
        self._socket = folder / "m.sock"
        data = folder / "data"
        user = [f"--user={getpass.getuser()}"]
        install = [str(_program("mariadb-install-db")), "--no-defaults", f"--datadir={data}", *user]
        # Two that install at the same moment would remove each other's temporary tables.
        own_temporary = {**os.environ, "TMPDIR": str(folder)}
        subprocess.run(
            [*install, "--auth-root-authentication-method=normal", "--skip-test-db"],
            env=own_temporary,
            check=True,
            capture_output=True,
        )
        self._folder = folder
        self._argv = [
            str(_program("mariadbd")),
            "--no-defaults",
            f"--datadir={data}",
            f"--socket={self._socket}",
            f"--tmpdir={folder}",
            f"--pid-file={folder}/m.pid",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=2",
            "--character-set-server=utf8mb4",
            *user,
        ]
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


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin")
