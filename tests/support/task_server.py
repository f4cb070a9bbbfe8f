"""gm_async_task alone behind gunicorn, as a process that tests may kill."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import requests

from tests.support.processes import Proc, free_port
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[2]
KEY = "server-key-" + "0" * 32
_PROGRAM = ["-m", "gunicorn", "-c", "gm_async_task/gunicorn.conf.py", "gm_async_task.wsgi:app"]
_MIGRATE = ["-m", "gm_async_task.migrate"]


class TaskServer:
    """The service on a port of its own. Use as a context manager."""

    def __init__(self, folder: Path, database_url: str, **environment: str) -> None:
        self._folder = folder
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "GM_AUTH_KEY": KEY,
            "GM_BROKER_URL": f"doorbell:///{folder}/doorbell.db",
            "GM_FILES_DIR": str(folder),
            "GM_ASYNC_TASK_DATABASE_URL": database_url,
            "GM_ASYNC_TASK_BIND": f"127.0.0.1:{port}",
            **environment,
        }
        self.process: Proc | None = None

    def __enter__(self) -> TaskServer:
        migrate = [sys.executable, *_MIGRATE]
        subprocess.run(migrate, cwd=ROOT, env=self.environment, check=True, capture_output=True)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, again if it was killed; return when it answers."""
        argv = [sys.executable, *_PROGRAM]
        self.process = Proc("gm_async_task", argv, self._folder, self.environment, cwd=ROOT)
        ready = f"{self.address}/healthz"
        wait_for(lambda: requests.get(ready, timeout=2).ok, 30, "gm_async_task", not_yet=requests.RequestException)

    def kill(self) -> None:
        """End it and its processes at once."""
        if self.process is not None:
            self.process.kill()

    def text(self) -> str:
        """Return what it has logged."""
        return self.process.text() if self.process is not None else ""
