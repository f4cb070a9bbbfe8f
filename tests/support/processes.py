"""Processes that tests start: own session, output to a file (never a pipe), ended by their id."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_PORTS = range(10_000, 32_000)
"""below those that the system gives to connections: one of these would take a server's before the server is up"""


def free_port() -> int:
    """Return a port of the loopback address that nobody uses."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Proc:
    """One process, and everything it starts, ended by `stop` or `kill`."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        folder: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                list(argv),
                env=dict(env) if env is not None else None,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which is its group's id too."""
        return self.process.pid

    def text(self) -> str:
        """Return what it has written so far."""
        return self.log.read_text("utf-8", "replace")

    def send(self, number: signal.Signals) -> None:
        """Signal the process itself."""
        if self.process.poll() is None:
            os.kill(self.pid, number)

    def stop(self, seconds: float = 20.0) -> int:
        """Ask it to end, wait, and make sure that nothing of its group is left."""
        self.send(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.kill()

    def kill(self) -> int:
        """End it and its group at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return self.process.wait(10)
