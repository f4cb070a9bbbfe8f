"""RabbitMQ: a node of our own, its own name server, one virtual host and one user, no guest."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import amqp

from shared.ops.env_file import write_whole
from shared.ops.servers.program import Program, find_program, the_program

# Debian's own script in /usr/sbin insists on the user rabbitmq; the one that it wraps does not.
FOLDER = "/usr/lib/rabbitmq/bin"
_PROGRAMS = ("rabbitmq-server", "epmd")
_FRUGAL = "+S 1:1 +sbwt none"
_LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}"
_CONF = """\
listeners.tcp.default = 127.0.0.1:{port}
default_user = {user}
default_pass = {password}
default_vhost = {vhost}
# Its rights end at its virtual host.
default_user_tags.administrator = false
"""


def find_missing() -> list[str]:
    """Return the programs that a server of our own needs and this machine lacks."""
    return [name for name in _PROGRAMS if find_program(name, FOLDER) is None]


class RabbitMq:
    """A server with the user `gm` of the virtual host `gm`."""

    def __init__(self, folder: Path, port: int, node_port: int, names_port: int, password: str) -> None:
        self._folder = folder
        self._port, self._node_port, self._names_port = port, node_port, names_port
        self._password = password

    @property
    def url(self) -> str:
        """The broker's address."""
        return f"amqp://gm:{self._password}@127.0.0.1:{self._port}/gm"

    def prepare(self) -> None:
        """Write its files; the user is made when it starts for the first time."""
        self._folder.mkdir(parents=True, exist_ok=True)
        conf = _CONF.format(port=self._port, user="gm", vhost="gm", password=self._password)
        write_configuration(self._folder, conf)

    def programs(self) -> Sequence[Program]:
        """Return the name server, which the server would else leave behind as a daemon, and the server."""
        environment = make_environment(self._folder, self._port, self._node_port, self._names_port)
        server = Program("rabbitmq", [the_program("rabbitmq-server", FOLDER)], 20, environment, stop_seconds=60)
        return [Program("epmd", names_argv(self._names_port), 15), server]

    def answers(self) -> bool:
        """Tell whether the user gets in."""
        connection = amqp.Connection(
            f"127.0.0.1:{self._port}", "gm", self._password, virtual_host="gm", connect_timeout=2, read_timeout=5
        )
        try:
            connection.connect()
            connection.close()
        except (OSError, amqp.AMQPError):
            return False
        return True


def names_argv(port: int) -> list[str]:
    """Return what runs Erlang's name server in the foreground."""
    return [the_program("epmd"), "-port", str(port), "-address", "127.0.0.1"]


def write_configuration(folder: Path, conf: str) -> None:
    """Write what a server of `folder` reads when it starts."""
    write_whole(folder / "rabbitmq.conf", conf)
    write_whole(folder / "enabled_plugins", "[].\n")
    cookie = folder / ".erlang.cookie"
    if not cookie.exists():
        write_whole(cookie, secrets.token_hex(10))
        cookie.chmod(0o400)


def make_environment(folder: Path, port: int, node_port: int, names_port: int, erl_args: str = "") -> dict[str, str]:
    """Return the environment of the server of `folder`, which reads nothing outside of it."""
    return {
        "PATH": os.pathsep.join((FOLDER, os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin")),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(names_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"gm{port}@localhost",
        "RABBITMQ_DIST_PORT": str(node_port),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RUNNING_UNDER_SYSTEMD": "true",  # the server itself instead of a shell that waits for it
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{_FRUGAL} {_LOOPBACK} {erl_args}",
    }
