"""nginx before gm_service, with the files that operators install."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests

from shared.ops.servers.program import Program, find_program, the_program

_PROGRAM = "nginx"


def find_missing() -> list[str]:
    """Return the programs that a server of our own needs and this machine lacks."""
    return [] if find_program(_PROGRAM) else [_PROGRAM]


class Nginx:
    """A server in `folder` that listens on `port` and stands before the gm_service at `service`, host:port."""

    def __init__(self, root: Path, folder: Path, port: int, service: str, files_dir: str) -> None:
        self._root = root
        self._folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self._values = {
            "GM_NGINX_LISTEN": f"127.0.0.1:{port}",
            "GM_NGINX_STABLE": f"server {service};",
            "GM_NGINX_GREY": f"server {service};",
            "GM_FILES_DIR": files_dir,
        }

    def prepare(self) -> None:
        """Write its configuration.

        Raises:
            subprocess.CalledProcessError: with what the renderer said.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        render = [sys.executable, str(self._root / "nginx" / "render.py"), str(self._folder)]
        values: Mapping[str, str] = self._values
        subprocess.run(render, env=values, check=True, capture_output=True, text=True)  # noqa: S603 our own program

    def programs(self) -> Sequence[Program]:
        """Return the server; QUIT lets downloads go on for a moment."""
        return [Program("nginx", server_argv(self._folder), priority=900, stop_signal="QUIT", stop_seconds=10)]

    def answers(self) -> bool:
        """Tell whether gm_service can be reached through it."""
        try:
            return requests.get(f"{self.url}/healthz", timeout=2, proxies={"http": ""}).ok
        except requests.RequestException:
            return False


def server_argv(folder: Path) -> list[str]:
    """Return what runs the server of `folder` in the foreground, its workers as the one who starts it."""
    # Only root may choose, and without a choice its workers could not read what root's processes write.
    user = f" user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
    return [the_program(_PROGRAM), "-p", f"{folder}/", "-c", "nginx.conf", "-g", f"daemon off;{user}"]
