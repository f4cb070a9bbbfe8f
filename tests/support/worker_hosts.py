"""Worker hosts of their own: separate folders, process trees and, where the machine allows it, networks."""

from __future__ import annotations

import re
import secrets
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from shared.ops.processes import MARK, end, find_marked
from tests.support.cluster import Cluster
from tests.support.processes import Proc
from tests.support.proxy import Proxy
from tests.support.waiting import wait_for

_LOOPBACK_PORT = re.compile(r"127\.0\.0\.1:(\d+)")
_NETWORK = "198.18"
"""of the block that RFC 2544 keeps for tests"""


@cache
def find_missing() -> list[str]:
    """Return what a network of its own needs and is not here."""
    if shutil.which("ip") is None:
        return ["ip, from Debian's package iproute2"]
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    return [] if tried.returncode == 0 else ["right to make network namespaces"]


class Network:
    """A network namespace, joined to ours by one cable; our end relays to servers on our loopback address."""

    def __init__(self) -> None:
        self.name = f"gm-{secrets.token_hex(3)}"
        third = secrets.randbelow(255)
        self._here, there = f"{_NETWORK}.{third}.1", f"{_NETWORK}.{third}.2"
        self._relays: dict[int, Proxy] = {}
        self._ends = ExitStack()
        _ip("netns", "add", self.name)
        self._ends.callback(_ip, "netns", "del", self.name)
        try:
            _ip("link", "add", self.name, "type", "veth", "peer", "name", "gm", "netns", self.name)
            _ip("address", "add", f"{self._here}/30", "dev", self.name)
            _ip("link", "set", self.name, "up")
            _ip("-n", self.name, "address", "add", f"{there}/30", "dev", "gm")
            for device in ("gm", "lo"):
                _ip("-n", self.name, "link", "set", device, "up")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take it away, with its cable."""
        self._ends.close()

    def command(self, argv: list[str]) -> list[str]:
        """Return what runs a program inside."""
        return ["ip", "netns", "exec", self.name, *argv]

    def seen_from_inside(self, address: str) -> str:
        """Return an address of ours as programs inside reach it."""
        return _LOOPBACK_PORT.sub(lambda found: f"{self._here}:{self._relay(int(found[1]))}", address)

    def _relay(self, port: int) -> int:
        if port not in self._relays:
            self._relays[port] = self._ends.enter_context(Proxy(port, self._here))
        return self._relays[port].port


class WorkerHost:
    """One gm_task of a platform on a host that shares with it only broker, file store and HTTP addresses."""

    def __init__(self, name: str, platform: Cluster, folder: Path, network: Network | None = None) -> None:
        self.name, self.folder, self.network = name, folder, network
        self.files_dir = folder / "files"
        for place in ("home", "tmp", "work", "files"):
            (folder / place).mkdir(parents=True)
        self._mark = secrets.token_hex(16)
        own = {
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "GM_FILES_DIR": str(self.files_dir),
            "GM_WORKER_CONCURRENCY": "1",
            MARK: self._mark,
        }
        see = network.seen_from_inside if network else str
        self._environment = {name: see(value) for name, value in platform.environment.items()} | own
        self.start()

    def start(self) -> None:
        """Start its worker, again if it was killed."""
        argv = [sys.executable, "-m", "gm_task.worker"]
        inside = self.network.command(argv) if self.network else argv
        self._worker = Proc(self.name, inside, self.folder, self._environment, cwd=self.folder / "work")

    def kill(self) -> int:
        """End its whole process tree at once, as a power cut would; return how many processes there were."""
        running = find_marked(self._mark, None)
        end(running, signal.SIGKILL)
        self._worker.kill()
        wait_for(lambda: not find_marked(self._mark, None), 10, f"the end of {self.name}")
        return len(running)

    def has_run(self, task_id: int) -> bool:
        """Tell whether it began a run of the task."""
        return any(f'"task_id": {task_id},' in line for line in self._runs())

    def network_id(self) -> str:
        """Return what tells its network from others."""
        # What starts the worker is in our own network at first, as the same process.
        python = Path(sys.executable).resolve()
        wait_for(lambda: Path(f"/proc/{self._worker.pid}/exe").readlink() == python, 10, f"the worker of {self.name}")
        return str(Path(f"/proc/{self._worker.pid}/ns/net").readlink())

    def scratch(self) -> list[str]:
        """Return the files that stand in its own folder."""
        return [path.name for path in self.files_dir.rglob("*") if path.is_file()]

    def text(self) -> str:
        """Return what it has logged."""
        return self._worker.text()

    def _runs(self) -> list[str]:
        return [line for line in self.text().splitlines() if '"run_started"' in line]


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
