"""Redis: kept on disk, full rather than forgetful, behind a password."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from redis import Redis as Client
from redis.exceptions import RedisError

from shared.ops.env_file import write_whole
from shared.ops.servers.program import Program, find_program, the_program

_PROGRAM = "redis-server"


def find_missing() -> list[str]:
    """Return the programs that a server of our own needs and this machine lacks."""
    return [] if find_program(_PROGRAM) else [_PROGRAM]


class Redis:
    """A server, set up as docs/operations.md asks for."""

    def __init__(self, folder: Path, port: int, password: str) -> None:
        self._folder = folder
        self._port = port
        self._password = password

    @property
    def url(self) -> str:
        """The broker's address."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def prepare(self) -> None:
        """Write its configuration; the password stands there and in no list of processes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._folder / "redis.conf", configuration(self._folder, self._port, requirepass=self._password))

    def programs(self) -> Sequence[Program]:
        """Return the server."""
        return [Program("redis", server_argv(self._folder), priority=20)]

    def answers(self) -> bool:
        """Tell whether it has read its data and takes the password."""
        try:
            with Client(port=self._port, password=self._password, socket_timeout=5) as client:
                return bool(client.ping())
        except RedisError:
            return False


def configuration(folder: Path, port: int, **further: str) -> str:
    """Return what `redis.conf` of the server in `folder` says."""
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": f'"{folder}"',
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "maxmemory": "64mb",
        "maxmemory-policy": "noeviction",
        "set-proc-title": "no",  # a title would stand where its mark is
        **further,
    }
    return "".join(f"{name} {value}\n" for name, value in options.items())


def server_argv(folder: Path) -> list[str]:
    """Return what runs the server of `folder` in the foreground."""
    return [the_program(_PROGRAM), str(folder / "redis.conf")]
