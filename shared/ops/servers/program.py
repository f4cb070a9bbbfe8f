"""A server as a program of supervisord: a script that starts it, and supervisor's words about it."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from shared.ops.env_file import write_whole

# Where Debian keeps servers; a normal user's PATH lacks the first.
_FOLDERS = ("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin")

_SCRIPT = """\
#!/bin/sh
# Nothing of whoever started supervisord but the mark and what is set here.
{exports}
# By its mark's file it is found where a server writes over its environment.
exec 9<"$GM_ETC/mark"
exec {command}
"""
_CONF = """\
[program:{name}]
command="%(ENV_GM_ETC)s/servers/{name}.start"
priority={priority}
autorestart=true
startsecs=3
startretries=10
stopsignal={signal}
stopasgroup=false
killasgroup=true
stopwaitsecs={seconds}
redirect_stderr=true
stdout_logfile=%(ENV_GM_RUN_DIR)s/logs/{name}.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=2
"""


class Server(Protocol):
    """A server of our own, in a folder of its own, for this user and this machine alone."""

    def prepare(self) -> None:
        """Write its configuration, and make its data where there is none."""
        ...

    def programs(self) -> Sequence[Program]:
        """Return what supervisord starts."""
        ...

    def answers(self) -> bool:
        """Tell whether it can be used."""
        ...


@dataclass(frozen=True)
class Program:
    """One process that supervisord starts and stops."""

    name: str
    argv: Sequence[str]
    priority: int
    """the least starts first and stops last"""
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    stop_seconds: int = 30

    def install(self, etc: Path) -> None:
        """Write its script and its program file below `etc`."""
        exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in self.environment.items())
        script = etc / "servers" / f"{self.name}.start"
        write_whole(script, _SCRIPT.format(exports=exports, command=shlex.join(self.argv)))
        script.chmod(0o700)
        conf = _CONF.format(name=self.name, priority=self.priority, signal=self.stop_signal, seconds=self.stop_seconds)
        write_whole(etc / "programs" / f"{self.name}.conf", conf)


def find_program(name: str, *before: str) -> str | None:
    """Return the path of a server's program, looked for in the folders `before` first."""
    return shutil.which(name, path=os.pathsep.join([*before, os.environ.get("PATH", ""), *_FOLDERS]))


def the_program(name: str, *before: str) -> str:
    """Return the path of a program that is known to be here."""
    found = find_program(name, *before)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found
