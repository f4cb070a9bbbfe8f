"""R8: callers of every verb, one fault after the other, and what the history says about it afterwards."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url

from tests.support import mariadb
from tests.support.database_faults import Faults
from tests.support.proxy import Proxy
from tests.support.task_history import Window, find_broken_promises
from tests.support.task_load import Call, Caller, Shared
from tests.support.task_server import TaskServer
from tests.support.waiting import wait_for

CALLERS = 6
CALM_CALLS = 60
"""calls between two faults"""
SLACK_SECONDS = 2.0
"""what the service may take to see that a fault is over"""

Fault = Callable[[Faults], None]
FAULTS: dict[str, Fault] = {
    "kill -9 of the database": lambda faults: faults.kill_database(),
    "SIGSTOP 5 s": lambda faults: faults.freeze_database(5.0),
    "cut links": lambda faults: faults.cut_links(),
    "lost commits": lambda faults: faults.lose_commits(),
    "locked rows": lambda faults: faults.lock_rows(3.0),
    "deadlocks": lambda faults: faults.deadlock(),
    "kill -9 of the service": lambda faults: faults.kill_service(),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run showed."""

    history: Sequence[Call]
    windows: Sequence[Window]
    broken: Sequence[str]
    deadlocks: int
    reads_while_locked: Sequence[float]
    log: str

    def answers(self) -> Counter[int | None]:
        """Return how often each status was answered; None: no answer."""
        return Counter(call.status for call in self.history)

    def summary(self) -> str:
        """Return figures for a person: what each fault did to the calls that met it."""
        lines = [f"{len(self.history)} calls, answers {dict(self.answers())}, {self.deadlocks} deadlocks"]
        for window in self.windows:
            met = [call for call in self.history if call.began <= window.ended and call.ended >= window.began]
            statuses, longest = Counter(call.status for call in met), max(call.ended - call.began for call in met)
            lines.append(
                f"{window.what}, {window.ended - window.began:.1f} s: {dict(statuses)}, longest {longest:.1f} s"
            )
        return "\n".join([*lines, f"longest read while rows were locked {max(self.reads_while_locked):.2f} s"])


def run_mixed_calls(folder: Path, seed: int, faults: Sequence[Fault], *, calls: int, longest_seconds: float) -> Outcome:
    """Have callers call at least `calls` times on a MariaDB of their own while the faults come in turn."""
    database = mariadb.start_server(folder)
    url = make_url(database.make_url())
    direct = url.render_as_string(hide_password=False)
    try:
        with (
            Proxy(url.port or 0) as link,
            TaskServer(folder, url.set(port=link.port).render_as_string(hide_password=False)) as server,
        ):
            breaking, shared = Faults(database, direct, link, server), Shared()
            _call_and_break(server.address, shared, seed, [partial(fault, breaking) for fault in faults], calls)
            broken = find_broken_promises(
                shared.history,
                _rows(direct),
                breaking.windows,
                slack_seconds=SLACK_SECONDS,
                longest_seconds=longest_seconds,
            )
            waits = breaking.reads_while_locked
            return Outcome(shared.history, breaking.windows, broken, breaking.deadlocks, waits, server.text())
    finally:
        database.stop()


def _call_and_break(
    address: str, shared: Shared, seed: int, faults: Sequence[Callable[[], None]], least_calls: int
) -> None:
    stopping = threading.Event()

    def go_on(number: int) -> None:
        caller = Caller(number, address, shared, seed)
        while not stopping.is_set():
            caller.step()

    def calm() -> None:
        enough = len(shared.history) + CALM_CALLS
        wait_for(lambda: len(shared.history) >= enough, 60, "calls in calm")

    with ThreadPoolExecutor(CALLERS) as callers:
        running = [callers.submit(go_on, number) for number in range(CALLERS)]
        try:
            for fault in random.Random(seed).sample(list(faults), len(faults)):
                calm()
                fault()
            calm()
            wait_for(lambda: len(shared.history) >= least_calls, 300, f"{least_calls} calls")
        finally:
            stopping.set()
        for each in running:
            each.result()


def _rows(url: str) -> list[dict[str, Any]]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM tbl_async_task ORDER BY id")).mappings()
        return [{**row, "result": json.loads(row["result"]) if row["result"] else None} for row in rows]
