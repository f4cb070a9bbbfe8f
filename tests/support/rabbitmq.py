"""A RabbitMQ server of the tests' own: free ports, own node, data folder and name server, ended by their ids."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from pathlib import Path

import amqp

from tests.support.processes import Proc, free_port
from tests.support.waiting import wait_for

# Debian's own script in /usr/sbin insists on the user rabbitmq; the one that it wraps does not.
_PATH = os.pathsep.join(("/usr/lib/rabbitmq/bin", os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"))
_START_SECONDS = 60
_FRUGAL = "+S 1:1 +sbwt none"
_LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}"


def find_missing() -> list[str]:
    """Return the programs that a server of our own needs and this machine lacks."""
    return [name for name in ("rabbitmq-server", "epmd") if shutil.which(name, path=_PATH) is None]


class RabbitMq:
    """A running server; `kill` and `start` are its crashes, `reset` gives the next test an empty one."""

    def __init__(self, folder: Path, erl_args: str = "") -> None:
        """Start it with further arguments, such as `-rabbit consumer_timeout 10000`."""
        folder.mkdir()
        self.folder = folder
        self.port, self._names_port = free_port(), free_port()
        self._erl_args = erl_args
        self._environment = self._make_environment()
        # The server would start its name server as a daemon of its own, which nobody ends.
        names = [_program("epmd"), "-port", str(self._names_port), "-address", "127.0.0.1"]
        self._names = Proc("epmd", names, folder)
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
        self._server = Proc("rabbitmq", [_program("rabbitmq-server")], self.folder, self._environment)
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

    def _make_environment(self) -> dict[str, str]:
        node = f"gm{self.port}@localhost"
        config = self.folder / "rabbitmq.conf"
        config.write_text(f"listeners.tcp.default = 127.0.0.1:{self.port}\n")
        plugins = self.folder / "enabled_plugins"
        plugins.write_text("[].\n")
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(10))
        cookie.chmod(0o400)
        return {
            "PATH": _PATH,
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._names_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": node,
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RUNNING_UNDER_SYSTEMD": "true",  # the server itself instead of a shell that waits for it
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{_FRUGAL} {_LOOPBACK} {self._erl_args}",
        }


def _program(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    assert found, f"{name} is not here"
    return found
