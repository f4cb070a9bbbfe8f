"""supervisord of `make run` and `make stack`, with the files that operators install on a host."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.ops.env_file import write_env
from shared.ops.servers.program import Server

# Names of Unix sockets hold 107 bytes, and supervisord adds its process id for a moment.
_LONGEST_SOCKET = 95
_RUN_AS = "user=%(ENV_GM_USER)s\n"


class Supervised:
    """A GM_ETC in `folder`, made of the checkout's folder `supervisor`."""

    def __init__(self, supervisor: Path, folder: Path) -> None:
        self._supervisor = supervisor
        self._folder = folder

    def install(self, settings: Mapping[str, str]) -> None:
        """Write everything but program files; slot a has the checkout's code, slot b is free."""
        for name in ("gm.conf", "run"):
            shutil.copy(self._supervisor / name, self._folder / name)
        shutil.rmtree(self._folder / "programs", ignore_errors=True)
        for name in ("programs", "servers"):
            (self._folder / name).mkdir(exist_ok=True)
        of_release = ("GM_RELEASE", "GM_HOME", "GM_PYTHON")
        of_slot = ("GM_SERVICE_BIND",)
        release = {name: settings[name] for name in of_release}
        self._write("gm", {name: value for name, value in settings.items() if name not in (*of_release, *of_slot)})
        self._write("gm_async_task", release)
        self._write("slot-a", release)
        self._write("gm_service-a", {**release, **{name: settings[name] for name in of_slot}})
        for idle in ("slot-b", "gm_service-b"):
            (self._folder / f"{idle}.env").unlink(missing_ok=True)

    def add_servers(self, servers: Sequence[Server]) -> None:
        """Prepare servers and write their program files."""
        for server in servers:
            server.prepare()
            for program in server.programs():
                program.install(self._folder)

    def add_services(self) -> None:
        """Write the program files of the platform's own processes; they run as whoever runs supervisord."""
        for file in sorted((self._supervisor / "programs").glob("*.conf")):
            (self._folder / "programs" / file.name).write_text(file.read_text().replace(_RUN_AS, ""))

    def start_command(self) -> list[str]:
        """Return what starts supervisord, in the background."""
        return [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._folder / "gm.conf")]

    def update_command(self) -> list[str]:
        """Return what has it start the programs whose files are new."""
        return [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(self._folder / "gm.conf"), "update"]

    def environment(self, socket: str, workers: int) -> dict[str, str]:
        """Return what both are told."""
        return {
            "GM_ETC": str(self._folder),
            "GM_RUN_DIR": str(self._folder),
            "GM_SUPERVISOR_SOCKET": socket,
            "GM_WORKERS": str(workers),
            "GM_START_SERVICE_A": "true",
            "GM_START_SERVICE_B": "false",
            "GM_START_WORKERS_A": "true",
            "GM_START_WORKERS_B": "false",
        }

    def _write(self, name: str, values: Mapping[str, str]) -> None:
        write_env(self._folder / f"{name}.env", values)


def choose_socket(folder: Path) -> str:
    """Return where supervisord listens: in `folder`, or in a new folder of this user where that path is too long."""
    socket = folder / "supervisor.sock"
    if len(bytes(socket)) <= _LONGEST_SOCKET:
        return str(socket)
    return str(Path(tempfile.mkdtemp(prefix="gm-")) / socket.name)
