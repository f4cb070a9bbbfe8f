"""A Redis server of the tests' own: free port, own data folder, kept on disk, ended by its id."""

from __future__ import annotations

import signal
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from shared.ops.servers.redis import configuration, server_argv
from tests.support.brokers import garbage
from tests.support.processes import Proc, free_port
from tests.support.waiting import wait_for


class RedisServer:
    """A running server, set up as docs/operations.md asks for; `kill` and `start` are its crashes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        """The server's address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, again if it was killed; return when it has read its data and answers."""
        (self.folder / "redis.conf").write_text(configuration(self.folder, self.port))
        self._server = Proc("redis", server_argv(self.folder), self.folder)
        wait_for(self._answers, 20, "Redis", not_yet=RedisError)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._server.kill()

    def freeze(self) -> None:
        """Stop it in its tracks: its sockets stay open and nobody answers."""
        self._server.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._server.send(signal.SIGCONT)

    def stop(self) -> None:
        """End it."""
        self._server.kill()

    def put_garbage(self, queue: str) -> int:
        """Push what is no message."""
        with self.connect() as client:
            client.rpush(queue, *garbage())
        return len(garbage())

    def connect(self) -> Redis:
        """Return a client of one's own, for what only Redis has."""
        return Redis(port=self.port, socket_timeout=5, socket_connect_timeout=2)

    def _answers(self) -> bool:
        assert self._server.process.poll() is None, self._server.text()[-2000:]
        with self.connect() as client:
            return bool(client.ping())
