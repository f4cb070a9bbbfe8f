"""Plain Celery doing the same small tasks: late acknowledgement, results stored by its SQLAlchemy backend.

Configured by the environment, because its worker is a process of its own: PEER_BROKER, PEER_RESULTS (addresses) and
PEER_STARTED (1: the start is stored as well as the end, which is what the platform's table knows).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from celery import Celery
from sqlalchemy import create_engine, text

from benchmarks.small_tasks import NOTHING, SLEEP
from shared.broker import doorbell
from tests.support.processes import Proc

_LATE = "tell_lateness"
_WORKER = ["worker", "--without-gossip", "--without-mingle", "--loglevel=WARNING"]


def make_app(environment: dict[str, str]) -> Celery:
    """Return the application, for its worker and for whoever sends."""
    doorbell.register()
    app = Celery("peer", broker=environment["PEER_BROKER"], backend="db+" + environment["PEER_RESULTS"])
    app.conf.update(
        task_acks_late=True,
        task_track_started=environment.get("PEER_STARTED") == "1",
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        task_default_queue="peer",
    )
    app.task(name=NOTHING, shared=False)(_do_nothing)
    app.task(name=SLEEP, shared=False)(_sleep_50_ms)
    app.task(name=_LATE, shared=False)(_tell_lateness)
    return app


def _do_nothing() -> None:
    pass


def _sleep_50_ms() -> None:
    time.sleep(0.05)


def _tell_lateness(sent: float) -> float:
    return time.time() - sent


class Peer:
    """Celery on a broker and a database of somebody else's."""

    def __init__(self, folder: Path, broker_url: str, results_url: str, *, started: bool) -> None:
        self._folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "PEER_BROKER": broker_url,
            "PEER_RESULTS": results_url,
            "PEER_STARTED": str(int(started)),
        }
        self._app = make_app(self._environment)
        self._engine = create_engine(results_url)
        self._workers: list[Proc] = []
        if results_url.startswith("sqlite"):
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # as the platform's own file has it
        self._app.backend.ResultSession().close()  # makes its tables

    def start_workers(self, count: int) -> None:
        """Start workers of two children each."""
        argv = [sys.executable, "-m", "benchmarks.celery_peer", *_WORKER, "--concurrency=2"]
        for number in range(count):
            name = f"peer{number}"
            self._workers.append(Proc(name, [*argv, f"--hostname={name}@%h"], self._folder, self._environment))

    def stop_workers(self) -> None:
        """End them."""
        while self._workers:
            self._workers.pop().kill()

    def submit(self, name: str) -> None:
        """Send one task."""
        self._app.tasks[name].apply_async()

    def count_ended(self) -> int:
        """Return how many results are stored."""
        with self._engine.connect() as connection:
            return int(connection.scalar(text("SELECT count(*) FROM celery_taskmeta WHERE status = 'SUCCESS'")) or 0)

    def ask_lateness(self) -> Any:
        """Send a task whose result is the seconds between its sending and its start; return what holds the result."""
        return self._app.tasks[_LATE].apply_async((time.time(),))


if __name__ == "__main__":
    make_app(dict(os.environ)).worker_main(sys.argv[1:])
