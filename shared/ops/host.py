"""Everything on one machine, as `make run` wants it: settings made once and kept, demo loaded, supervisord started."""

from __future__ import annotations

import fcntl
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import requests

from shared.ops import ports, processes

SERVICE_PORT = 8000
ASYNC_TASK_PORT = 8001
READY_SECONDS = 60
STOP_SECONDS = 170
"""supervisord stops one priority after the other, each within its stopwaitsecs"""
_STEPS = (
    ("migrating the task database", ["-m", "gm_async_task.migrate"]),
    ("migrating the order database", ["-m", "gm_service.migrate"]),
    ("making the demo stations", ["-m", "gm_service.stations.seed"]),
    ("loading the demo orders", ["-m", "gm_service.demo"]),
    ("starting the processes", ["-m", "supervisor.supervisord", "-c", "supervisor/embedded.conf"]),
)


class HostError(Exception):
    """Why the platform could not be started, in a sentence."""


class Host:
    """The platform in one checkout; all it keeps is in `.run/` there."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / ".run"
        self._env_file = self._folder / "env"
        self._mark_file = self._folder / "mark"

    def start(self) -> None:
        """Start whatever is not running, and return when it answers.

        Raises:
            HostError: with what to do about it.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        (self._folder / "logs").mkdir(exist_ok=True)
        (self._folder / "files").mkdir(exist_ok=True)
        with self._one_at_a_time():
            kept = self._read_env()
            if self._is_supervised():
                self._wait_ready(kept)
                return
            self.stop()  # what a killed supervisor left behind
            values = self._make_env(kept)
            self._write_env(values)
            for what, arguments in _STEPS:
                self._run_step(what, arguments, values)
            self._wait_ready(values)

    def stop(self) -> int:
        """End every process of this checkout's run, first gently; return how many there were."""
        mark = self._mark()
        supervisor = self._supervisor_pid()
        running = processes.find_marked(mark, supervisor)
        if not running:
            return 0
        # Its supervisor ends the others in order; without one they are asked one by one.
        processes.end([supervisor] if supervisor in running else running, signal.SIGTERM)
        if not processes.wait_gone(mark, supervisor, STOP_SECONDS):
            processes.end(processes.find_marked(mark, supervisor), signal.SIGKILL)
            processes.wait_gone(mark, supervisor, 5)
        return len(running)

    def welcome(self) -> str:
        """Return what a person needs to begin."""
        values = self._read_env()
        return "\n".join(
            [
                "",
                f"  The platform runs at  {values['GM_SERVICE_URL']}",
                f"  Sign in as station    {values['GM_STATION_ID']}   user clerk   "
                f"password {values['GM_DEMO_PASSWORD']}",
                f"  API token             {values['GM_STATION_TOKEN']}",
                f"  For scripts           {self._env_file.relative_to(self._root)}",
                "",
                "  make demo shows the main job, make stop ends it.",
                "",
            ]
        )

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        with (self._folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise HostError("another `make run` of this checkout is under way") from error
            yield

    def _make_env(self, kept: dict[str, str]) -> dict[str, str]:
        """Return the settings of this run: what was made before is kept, ports are chosen anew."""
        service_port = ports.next_free(int(kept.get("GM_SERVICE_PORT", SERVICE_PORT)))
        async_task_port = ports.next_free(int(kept.get("GM_ASYNC_TASK_PORT", ASYNC_TASK_PORT)), {service_port})
        once = {
            "GM_AUTH_KEY": secrets.token_urlsafe(36),
            "GM_SERVICE_SECRET_KEY": secrets.token_urlsafe(36),
            "GM_DEMO_PASSWORD": secrets.token_urlsafe(9),
            "GM_STATION_ID": "S001",
            "GM_STATION_TOKEN": secrets.token_urlsafe(36),
            "GM_STATION2_ID": "S002",
            "GM_STATION2_TOKEN": secrets.token_urlsafe(36),
        }
        return {
            **once,
            **{name: value for name, value in kept.items() if name in once},
            "GM_SERVICE_PORT": str(service_port),
            "GM_SERVICE_URL": f"http://127.0.0.1:{service_port}",
            "GM_SERVICE_BIND": f"127.0.0.1:{service_port}",
            "GM_ASYNC_TASK_PORT": str(async_task_port),
            "GM_ASYNC_TASK_URL": f"http://127.0.0.1:{async_task_port}",
            "GM_ASYNC_TASK_BIND": f"127.0.0.1:{async_task_port}",
            "GM_ASYNC_TASK_DATABASE_URL": f"sqlite:///{self._folder}/tasks.db",
            "GM_SERVICE_DATABASE_URL": f"sqlite:///{self._folder}/orders.db",
            "GM_BROKER_URL": f"doorbell:///{self._folder}/doorbell.db",
            "GM_FILES_DIR": str(self._folder / "files"),
            "GM_METRICS_DIR": str(self._folder / "metrics"),
            # Shorter than the default, so that whoever kills a worker to see what happens need not wait a minute.
            "GM_LEASE_SECONDS": "20",
            "GM_RUN_DIR": str(self._folder),
            "GM_PYTHON": sys.executable,
        }

    def _run_step(self, what: str, arguments: list[str], values: dict[str, str]) -> None:
        click.echo(f"  {what} ...")
        log = self._folder / "logs" / "setup.log"
        with log.open("ab") as output:
            done = subprocess.run(  # noqa: S603 our own modules
                [sys.executable, *arguments],
                cwd=self._root,
                env=self._environment(values),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        if done.returncode != 0:
            raise HostError(f"{what} failed; the end of {log} says why")

    def _wait_ready(self, values: dict[str, str]) -> None:
        addresses = [values["GM_ASYNC_TASK_URL"] + "/readyz", values["GM_SERVICE_URL"] + "/readyz"]
        deadline = time.monotonic() + READY_SECONDS
        while addresses:
            if _answers(addresses[0]):
                addresses.pop(0)
            elif time.monotonic() > deadline:
                raise HostError(f"{addresses[0]} does not answer; look into {self._folder / 'logs'}, then `make stop`")
            else:
                time.sleep(0.2)

    def _environment(self, values: dict[str, str]) -> dict[str, str]:
        """Return the environment of the processes: nothing of the caller's but what programs need to run."""
        inherited = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
        passed = {name: os.environ[name] for name in inherited if name in os.environ}
        return {**passed, **values, processes.MARK: self._mark()}

    def _is_supervised(self) -> bool:
        supervisor = self._supervisor_pid()
        return supervisor in processes.find_marked(self._mark(), supervisor)

    def _mark(self) -> str:
        """Return what marks this checkout's processes; no part of `.run/env`, which people load into their shells."""
        if not self._mark_file.exists() and self._folder.exists():
            _write_whole(self._mark_file, secrets.token_hex(16))
        return self._mark_file.read_text() if self._mark_file.exists() else ""

    def _supervisor_pid(self) -> int | None:
        try:
            return int((self._folder / "supervisord.pid").read_text())
        except (OSError, ValueError):
            return None

    def _read_env(self) -> dict[str, str]:
        if not self._env_file.exists():
            return {}
        pairs = (line.split("=", 1) for line in self._env_file.read_text().splitlines() if "=" in line)
        return {name: shlex.split(value)[0] if value else "" for name, value in pairs}

    def _write_env(self, values: dict[str, str]) -> None:
        _write_whole(self._env_file, "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()))


def _write_whole(file: Path, text: str) -> None:
    """Write a file that only its owner may read, all of it or nothing."""
    temporary = file.with_suffix(".new")
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.replace(file)


def _answers(address: str) -> bool:
    session = requests.Session()
    session.trust_env = False
    try:
        return session.get(address, timeout=2).status_code == 200
    except requests.RequestException:
        return False
