"""A host as docs/operations.md installs it: a folder like /etc/gm, and a supervisord that runs the platform."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shared.ops.env_file import write_env
from tests.support.cluster import ROOT, Cluster
from tests.support.processes import Proc
from tests.support.waiting import wait_for

BIN = Path(sys.executable).parent
SLOW_EXPORT = {"slow": ["{python}", "-m", "tests.support.slow_export"]}


class Process(NamedTuple):
    """What supervisorctl says of one process."""

    state: str
    pid: int | None
    told: str


class SupervisedHost(Cluster):
    """The platform on one host, its workers in slot a; the folder's path must be short enough for a socket."""

    def __init__(self, folder: Path, workers: int = 1, **environment: str) -> None:
        super().__init__(folder, GM_EXPORT_SCRIPTS=json.dumps(SLOW_EXPORT), **environment)
        self.etc = folder / "etc"
        self.logs_folder = folder / "var" / "logs"
        self._socket = folder / "var" / "s"
        self._workers = workers

    def __enter__(self) -> SupervisedHost:
        for arguments in self.setup:
            subprocess.run(
                [sys.executable, *arguments], cwd=ROOT, env=self.environment, check=True, capture_output=True
            )
        self._install()
        try:
            self.start_supervisord(self.etc / "gm.conf")
            self.wait_ready(90)  # each process first loads its files, all at once
        except BaseException:
            self.stop()
            raise
        return self

    def start_supervisord(self, conf: Path) -> None:
        """Start it as a service manager does."""
        self._supervisord = Proc("supervisord", [str(self.etc / "start"), "-n", "-c", str(conf)], self.folder)

    def stop(self) -> None:
        """Have supervisord end everything."""
        if hasattr(self, "_supervisord"):
            self._supervisord.stop(120)

    def write(self, name: str, values: Mapping[str, str] | None = None) -> None:
        """Write the file of a slot or a service: where the release is, and further values."""
        release = {"GM_RELEASE": "1", "GM_HOME": str(ROOT), "GM_PYTHON": sys.executable}
        write_env(self.etc / f"{name}.env", {**release, **(values or {})})

    def write_settings(self, values: Mapping[str, str] | None = None) -> None:
        """Write gm.env: the platform's settings, and further values."""
        of_slots = ("PATH", "GM_SERVICE_BIND")
        settings = {name: value for name, value in self.environment.items() if name not in of_slots}
        write_env(self.etc / "gm.env", {**settings, **(values or {})})

    def control(self, *arguments: str) -> str:
        """Ask supervisorctl, as operators do; it returns when what was asked is done."""
        command = [str(BIN / "supervisorctl"), "-s", f"unix://{self._socket}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def status(self, name: str) -> Process:
        """Return what becomes of a process, such as `workers-a:worker-a-gm_task_00`."""
        _, state, *rest = self.control("status", name).split(maxsplit=2)
        told = rest[0].strip() if rest else ""
        pid = int(told.split()[1].strip(",")) if told.startswith("pid ") else None
        return Process(state, pid, told)

    def wait_running(self, name: str) -> int:
        """Return the id of a process once it runs."""
        wait_for(lambda: self.status(name).state == "RUNNING", 30, f"{name}")
        pid = self.status(name).pid
        assert pid is not None
        return pid

    def logs(self) -> str:
        """Return what all processes have written."""
        return "\n".join(path.read_text("utf-8", "replace") for path in sorted(self.logs_folder.glob("*.log")))

    def submit_export(self, seconds: float) -> int:
        """Add an export whose script takes so long; its process id will be in `pids`, its line in `effects`."""
        self.pids.mkdir(exist_ok=True)
        given = {"export": "slow", "seconds": seconds, "pids": str(self.pids), "effects": str(self.effects)}
        return self.submit_named("gm_task.functions.orders.export_orders", given, repeat=True)

    @property
    def pids(self) -> Path:
        """A folder with one file for each process that was an export."""
        return self.folder / "pids"

    @property
    def effects(self) -> Path:
        """A file with one line for each effect: its task's id."""
        return self.folder / "effects"

    def effects_done(self) -> list[int]:
        """Return the task of each effect so far."""
        return [int(line) for line in self.effects.read_text().split()] if self.effects.exists() else []

    def living_exports(self) -> list[int]:
        """Return the ids of export scripts that live."""
        pids = [int(path.name) for path in self.pids.iterdir()] if self.pids.exists() else []
        return [pid for pid in pids if b"slow_export" in _command_line(pid)]

    def _install(self) -> None:
        shutil.copytree(ROOT / "supervisor", self.etc)
        told = {
            "GM_RUN_DIR": str(self.folder / "var"),
            "GM_SUPERVISOR_SOCKET": str(self._socket),
            "GM_USER": Path("/proc/self").owner(),
            "GM_WORKERS": str(self._workers),
            "GM_SUPERVISORD": str(BIN / "supervisord"),
        }
        write_env(self.etc / "supervisor.env", told)
        self.write_settings()
        self.write("gm_async_task")
        self.write("gm_service-a", {"GM_SERVICE_BIND": self.environment["GM_SERVICE_BIND"]})
        self.write("slot-a")


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
