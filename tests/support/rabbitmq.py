"""A RabbitMQ server of the tests' own: free ports, own node, data folder and name server, ended by their ids."""

from __future__ import annotations

import signal
from pathlib import Path

import amqp

from shared.ops.servers.program import the_program
from shared.ops.servers.rabbitmq import FOLDER, make_environment, names_argv, write_configuration
from tests.support.processes import Proc, free_port
from tests.support.waiting import wait_for

_START_SECONDS = 60


class RabbitMq:
    """A running server; `kill` and `start` are its crashes, `reset` gives the next test an empty one."""

    def __init__(self, folder: Path, erl_args: str = "", configuration: str = "") -> None:
        """Start it with further arguments, such as `-rabbit consumer_timeout 10000`, and lines of rabbitmq.conf."""
        folder.mkdir()
        self.folder = folder
        self.port, self._names_port = free_port(), free_port()
        write_configuration(folder, f"listeners.tcp.default = 127.0.0.1:{self.port}\n{configuration}")
        self._environment = make_environment(folder, self.port, free_port(), self._names_port, erl_args)
        # The server would start its name server as a daemon of its own, which nobody ends.
        self._names = Proc("epmd", names_argv(self._names_port), folder)
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """The server's address, with its one user."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Start it, again if it was killed; return when it takes connections."""
        self._server = Proc("rabbitmq", [the_program("rabbitmq-server", FOLDER)], self.folder, self._environment)
        wait_for(self._answers, _START_SECONDS, "RabbitMQ", not_yet=(OSError, amqp.AMQPError))

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
        """End it and its name server."""
        if hasattr(self, "_server"):
            self._server.kill()
        self._names.kill()

    def put_garbage(self, queue: str) -> int:
        """Put in messages without a single property; the protocol lets nothing else in."""
        with self.connect() as connection:
            channel = connection.channel()
            for body in (b"", b"{", b"\xff\xfe", b"[[1], {}, {}]"):
                channel.basic_publish(amqp.Message(body), exchange=queue, routing_key=queue)
        return 4

    def text(self) -> str:
        """Return what it has logged."""
        return "".join(path.read_text("utf-8", "replace") for path in (self.folder / "log").glob("*.log"))

    def connect(self) -> amqp.Connection:
        """Return a connection of one's own, for what only RabbitMQ has."""
        connection = amqp.Connection(f"127.0.0.1:{self.port}", connect_timeout=2, read_timeout=5)
        connection.connect()
        return connection

    def _answers(self) -> bool:
        assert self._server.process.poll() is None, self._server.text()[-2000:]
        self.connect().close()
        return True
