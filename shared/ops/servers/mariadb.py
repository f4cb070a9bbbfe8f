"""MariaDB: data of our own, the two databases and their users made when it starts, no password for anybody else."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pymysql

from shared.ops.env_file import write_whole
from shared.ops.servers.program import Program, find_program, the_program

_PROGRAMS = ("mariadbd", "mariadb-install-db")
_MAKE_DATABASE = """\
CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS {name}@'127.0.0.1' IDENTIFIED BY '{password}';
SET PASSWORD FOR {name}@'127.0.0.1' = PASSWORD('{password}');
GRANT ALL PRIVILEGES ON {name}.* TO {name}@'127.0.0.1';
"""


def find_missing() -> list[str]:
    """Return the programs that a server of our own needs and this machine lacks."""
    return [name for name in _PROGRAMS if find_program(name) is None]


class MariaDb:
    """A server with databases named as their users, who have rights on nothing else."""

    def __init__(self, folder: Path, port: int, passwords: Mapping[str, str]) -> None:
        """Take the password of each database's user by its name; passwords of letters, digits, - and _."""
        self._folder = folder
        self._port = port
        self._passwords = passwords

    def url(self, name: str) -> str:
        """Return the address of a database."""
        return f"mysql+pymysql://{name}:{self._passwords[name]}@127.0.0.1:{self._port}/{name}"

    def prepare(self) -> None:
        """Make the data at first; write what it does when it starts."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._folder / "installed").exists():
            # Nobody but this user of this machine is root there, through the socket.
            install_data(self._folder, "--auth-root-authentication-method=socket", f"--auth-root-socket-user={_user()}")
            (self._folder / "installed").touch()
        made = [_MAKE_DATABASE.format(name=name, password=password) for name, password in self._passwords.items()]
        write_whole(self._folder / "start.sql", "".join(made))

    def programs(self) -> Sequence[Program]:
        """Return the server."""
        argv = [*server_argv(self._folder, self._port), f"--init-file={self._folder}/start.sql"]
        return [Program("mariadb", argv, priority=10, stop_seconds=60)]

    def answers(self) -> bool:
        """Tell whether every user reaches its database."""
        try:
            for name, password in self._passwords.items():
                pymysql.connect(
                    host="127.0.0.1", port=self._port, user=name, password=password, database=name, connect_timeout=2
                ).close()
        except pymysql.Error:
            return False
        return True


def install_data(folder: Path, *options: str) -> None:
    """Make the data folder of a new server in `folder`.

    Raises:
        subprocess.CalledProcessError: with what MariaDB said.
    """
    argv = [the_program("mariadb-install-db"), "--no-defaults", f"--datadir={folder}/data", *_as_user()]
    # Two that install at the same moment would remove each other's temporary tables.
    own_temporary = {**os.environ, "TMPDIR": str(folder)}
    subprocess.run(  # noqa: S603 an argument list of ours
        [*argv, "--skip-test-db", *options], env=own_temporary, check=True, capture_output=True, text=True
    )


def server_argv(folder: Path, port: int) -> list[str]:
    """Return what runs the server of `folder` in the foreground, on the loopback address alone."""
    return [
        the_program("mariadbd"),
        "--no-defaults",
        f"--datadir={folder}/data",
        "--socket=m.sock",  # below the data folder, whose path may be too long for a socket's
        f"--tmpdir={folder}",
        f"--pid-file={folder}/m.pid",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        "--innodb-buffer-pool-size=64M",
        "--innodb-flush-log-at-trx-commit=2",
        "--character-set-server=utf8mb4",
        *_as_user(),
    ]


def _as_user() -> list[str]:
    # It refuses to be root unless told so, and warns everybody else who names a user.
    return [f"--user={_user()}"] if os.geteuid() == 0 else []


def _user() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name
