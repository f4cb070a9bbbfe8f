"""Everything on one machine, for `make run` and `make stack`: settings kept, demo loaded, supervisord started."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import click
import requests

from shared.ops.env_file import read_env, write_env
from shared.ops.kept import Kept
from shared.ops.layout import HostError, Layout, Way
from shared.ops.marked import MarkedRun
from shared.ops.supervised import Supervised, choose_socket

SERVER_SECONDS = 120
READY_SECONDS = 120
_MIGRATIONS = (
    ("migrating the task database", ["-m", "gm_async_task.migrate"]),
    ("migrating the order database", ["-m", "gm_service.migrate"]),
    ("making the demo stations", ["-m", "gm_service.stations.seed"]),
    ("loading the demo orders", ["-m", "gm_service.demo"]),
)


class Host:
    """The platform in one checkout, run in one way; all it keeps is in the way's folder there."""

    def __init__(self, root: Path, way: Way) -> None:
        self._root = root
        self._way = way
        self._folder = root / way.folder
        self._env_file = self._folder / "env"
        self._running = MarkedRun(self._folder)
        self._supervised = Supervised(root / "supervisor", self._folder)

    def start(self) -> None:
        """Start whatever is not running, and return when it answers.

        Raises:
            HostError: with what to do about it.
        """
        for name in (".", "logs", "files"):
            (self._folder / name).mkdir(mode=0o700 if name == "." else 0o755, exist_ok=True)
        with self._one_at_a_time():
            if self._is_started():
                self._refuse_otherwise()
            else:
                self.stop()  # what a killed supervisor, or a start that was broken off, left behind
                self._start_all()
            self._wait_ready()

    def stop(self) -> int:
        """End every process of this checkout's way, first gently; return how many there were."""
        ended = self._running.end()
        socket = self._kept().get("GM_SUPERVISOR_SOCKET")
        if socket and Path(socket).parent != self._folder:
            Path(socket).unlink(missing_ok=True)
            with suppress(OSError):  # a folder that was made for it has nothing else; any other one is not ours
                Path(socket).parent.rmdir()
        return ended

    def welcome(self) -> str:
        """Return what a person needs to begin."""
        values = self._kept()
        return "\n".join(
            [
                "",
                f"  The platform runs at  {values['GM_SERVICE_URL']}",
                f"  Sign in as station    {values['GM_STATION_ID']}   user clerk   "
                f"password {values['GM_DEMO_PASSWORD']}",
                f"  API token             {values['GM_STATION_TOKEN']}",
                f"  For scripts           {self._env_file.relative_to(self._root)}",
                "",
                f"  {self._way.demo_command} shows the main job, {self._way.stop_command} ends it.",
                "",
            ]
        )

    def _start_all(self) -> None:
        layout = self._lay_out()
        self._supervised.install(layout.settings)
        try:
            if layout.servers:
                self._start_servers(layout)
            for what, arguments in _MIGRATIONS:
                self._run_step(what, [sys.executable, *arguments], layout.settings)
            self._start_processes(layout)
        except BaseException:
            self.stop()
            raise

    def _lay_out(self) -> Layout:
        """Choose settings and servers, and write what people need to know of them."""
        kept = Kept(self._kept())
        settings = self._make_settings(kept)
        layout = self._way.lay_out(self._root, self._folder, kept, settings)
        write_env(self._env_file, {**kept.values, **layout.settings, "GM_SERVICE_URL": layout.url})
        return layout

    def _make_settings(self, kept: Kept) -> dict[str, str]:
        """Return the settings that every way has: what was made before is kept, ports are chosen anew."""
        service = f"127.0.0.1:{kept.port('GM_SERVICE_PORT', self._way.first_port)}"
        async_task = f"127.0.0.1:{kept.port('GM_ASYNC_TASK_PORT', self._way.first_port + 1)}"
        return {
            "GM_AUTH_KEY": kept.secret("GM_AUTH_KEY"),
            "GM_SERVICE_SECRET_KEY": kept.secret("GM_SERVICE_SECRET_KEY"),
            "GM_DEMO_PASSWORD": kept.secret("GM_DEMO_PASSWORD", 9),
            "GM_STATION_ID": "S001",
            "GM_STATION_TOKEN": kept.secret("GM_STATION_TOKEN"),
            "GM_STATION2_ID": "S002",
            "GM_STATION2_TOKEN": kept.secret("GM_STATION2_TOKEN"),
            "GM_SERVICE_URL": f"http://{service}",
            "GM_SERVICE_BIND": service,
            "GM_ASYNC_TASK_URL": f"http://{async_task}",
            "GM_ASYNC_TASK_BIND": async_task,
            "GM_FILES_DIR": str(self._folder / "files"),
            "GM_METRICS_DIR": str(self._folder / "metrics"),
            "GM_PROFILE_DIR": str(self._folder / "profiles"),
            "GM_PROFILE_KEY": kept.secret("GM_PROFILE_KEY"),
            # Shorter than the default, so that whoever kills a worker to see what happens need not wait a minute.
            "GM_LEASE_SECONDS": "20",
            "GM_RUN_DIR": str(self._folder),
            "GM_SUPERVISOR_SOCKET": choose_socket(self._folder),
            "GM_RELEASE": "checkout",
            "GM_HOME": str(self._root),
            "GM_PYTHON": sys.executable,
        }

    def _start_servers(self, layout: Layout) -> None:
        click.echo("  starting the servers ...")
        try:
            self._supervised.add_servers(layout.servers)
        except subprocess.CalledProcessError as error:
            raise HostError(f"{error.cmd[0]} failed: {(error.stderr or error.stdout).strip()[-500:]}") from error
        self._supervise(layout, self._supervised.start_command())
        for server in layout.servers:
            what = type(server).__name__
            self._wait(server.answers, SERVER_SECONDS, f"{what} does not answer")

    def _start_processes(self, layout: Layout) -> None:
        self._supervised.add_services()
        if layout.front:
            self._supervised.add_servers([layout.front])
        supervised = self._running.is_supervised()
        command = self._supervised.update_command() if supervised else self._supervised.start_command()
        click.echo("  starting the processes ...")
        self._supervise(layout, command)

    def _supervise(self, layout: Layout, command: list[str]) -> None:
        told = self._supervised.environment(layout.settings["GM_SUPERVISOR_SOCKET"], self._way.workers)
        self._run(command, told, "supervisord")

    def _run_step(self, what: str, command: list[str], settings: Mapping[str, str]) -> None:
        click.echo(f"  {what} ...")
        self._run(command, settings, what)

    def _run(self, command: list[str], values: Mapping[str, str], what: str) -> None:
        log = self._folder / "logs" / "setup.log"
        with log.open("ab") as output:
            done = subprocess.run(  # noqa: S603 our own modules
                command,
                cwd=self._root,
                env=self._environment(values),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        if done.returncode != 0:
            raise HostError(f"{what} failed; the end of {log} says why")

    def _environment(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of the processes: nothing of the caller's but what programs need to run."""
        inherited = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
        passed = {name: os.environ[name] for name in inherited if name in os.environ}
        return {**passed, **values, **self._running.environment()}

    def _is_started(self) -> bool:
        """Tell whether supervisord runs and has been given all programs."""
        return self._running.is_supervised() and (self._folder / "programs" / "gm_async_task.conf").exists()

    def _refuse_otherwise(self) -> None:
        """Refuse to say that all is well when what runs is not what was asked for."""
        kept = self._kept()
        for name, value in self._way.asked_for.items():
            if kept.get(name) != value:
                raise HostError(f"it runs with {kept.get(name)}: `{self._way.stop_command}` first")

    def _wait_ready(self) -> None:
        told = read_env(self._folder / "gm.env")
        addresses = [told["GM_ASYNC_TASK_URL"] + "/readyz", told["GM_SERVICE_URL"] + "/readyz"]
        for address in [*addresses, self._kept()["GM_SERVICE_URL"] + "/healthz"]:
            self._wait(partial(_answers, address), READY_SECONDS, f"{address} does not answer")

    def _wait(self, condition: Callable[[], bool], seconds: float, problem: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise HostError(f"{problem}; look into {self._folder / 'logs'}, then `{self._way.stop_command}`")
            time.sleep(0.2)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        with (self._folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise HostError(f"another `{self._way.start_command}` of this checkout is under way") from error
            yield

    def _kept(self) -> dict[str, str]:
        return read_env(self._env_file)


def _answers(address: str) -> bool:
    session = requests.Session()
    session.trust_env = False
    try:
        return session.get(address, timeout=2).status_code == 200
    except requests.RequestException:
        return False
