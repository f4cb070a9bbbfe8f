"""How commands reach the platform that this host belongs to: its settings, its task service, its supervisord."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from shared.ops.env_file import read_env
from shared.ops.supervisors import Supervisor
from shared.task_api.transport import HttpTransport
from shared.task_api.worker_client import WorkerClient

DEFAULT_ETC = "/etc/gm"
SOCKET = "supervisor.sock"


class PlatformUnknown(Exception):
    """What a command needs to know and was not told, in a sentence."""


@dataclass(frozen=True, slots=True)
class Platform:
    """This host's part of a platform."""

    etc: Path
    async_task_url: str
    auth_key: str
    socket: str

    def transport(self) -> HttpTransport:
        """Return what carries calls of the task service."""
        return HttpTransport(self.async_task_url, self.auth_key)

    def workers(self) -> WorkerClient:
        """Return what asks it about workers and releases."""
        return WorkerClient(self.transport())

    def supervisor(self) -> Supervisor:
        """Return this host's supervisord."""
        return Supervisor(self.socket)


def find_platform(etc: Path | None, socket: str | None) -> Platform:
    """Return the platform that the environment names, or else `gm.env` in `etc`.

    Raises:
        PlatformUnknown: neither says where the task service is, and its key.
    """
    folder = etc or Path(os.environ.get("GM_ETC", DEFAULT_ETC))
    values = {**read_env(folder / "gm.env"), **os.environ}
    missing = [name for name in ("GM_ASYNC_TASK_URL", "GM_AUTH_KEY") if not values.get(name)]
    if missing:
        raise PlatformUnknown(f"{' and '.join(missing)}: neither in the environment nor in {folder}/gm.env.")
    found = socket or values.get("GM_SUPERVISOR_SOCKET") or str(Path(values.get("GM_RUN_DIR", folder)) / SOCKET)
    return Platform(folder, values["GM_ASYNC_TASK_URL"], values["GM_AUTH_KEY"], found)
