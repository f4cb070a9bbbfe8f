"""What signing costs: the same calls of gm_async_task with the bare key and signed, turn by turn in one run.

    python -m benchmarks.signed_calls [--rounds 12] [--calls 60]

A real gm_async_task behind gunicorn, on SQLite and on a MariaDB that writes each commit to disk. A life of a task is
add, start, heartbeat, finish. One caller shows the latency, four at once the rate.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pymysql
from sqlalchemy.engine import make_url

from shared.task_api.client import TaskClient
from shared.task_api.transport import HttpTransport
from tests.support import mariadb
from tests.support.task_server import KEY, TaskServer

CALLERS = 4


def main() -> None:
    """Measure on each database that is here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--calls", type=int, default=60)
    given = parser.parse_args()
    print("| | bare key | signed | ratio |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _measure("SQLite", f"sqlite:///{folder}/t.db", folder, given.rounds, given.calls)
        if not mariadb.find_missing():
            server = mariadb.start_server(folder)
            try:
                _measure("MariaDB", _durable(server.make_url()), folder, given.rounds, given.calls)
            finally:
                server.stop()


def _measure(database: str, url: str, folder: Path, rounds: int, calls: int) -> None:
    with TaskServer(folder, url) as server:
        clients = {
            signed: [TaskClient(HttpTransport(server.address, KEY, 30, signed=signed)) for _ in range(CALLERS)]
            for signed in (False, True)
        }
        known = clients[False][0].create("S001", "bench.known", {}).task_id
        works: dict[str, Callable[[TaskClient], object]] = {
            "get": lambda client: client.get(known),
            "add": lambda client: client.create("S001", "bench.add", {"n": 1}),
            "life of a task": _life,
        }
        for what, work in works.items():
            alone = _by_turns(rounds, lambda signed, work=work: _alone(clients[signed][0], work, calls))
            print(f"| {database}, {what}, ms | {_row(*(1000 * each for each in alone))} |")
            rate = _by_turns(rounds // 2, lambda signed, work=work: _together(clients[signed], work, calls))
            print(f"| {database}, {what}, a second by {CALLERS} callers | {_row(*rate)} |")


def _life(client: TaskClient) -> None:
    run = client.start(client.create("S001", "bench.life", {"n": 1}).task_id)
    client.heartbeat(run.task_id, run.run_count)
    client.finish(run.task_id, run_count=run.run_count, result={"n": 2})


def _by_turns(rounds: int, measure: Callable[[bool], float]) -> tuple[float, float]:
    """Return the medians of bare and signed, measured one after the other so that both meet the same machine."""
    pairs = [(measure(False), measure(True)) for _ in range(rounds)]
    return statistics.median(bare for bare, _ in pairs), statistics.median(signed for _, signed in pairs)


def _alone(client: TaskClient, work: Callable[[TaskClient], object], calls: int) -> float:
    """Return the median seconds of one."""
    seconds = []
    for _ in range(calls):
        began = time.perf_counter()
        work(client)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def _together(clients: list[TaskClient], work: Callable[[TaskClient], object], calls: int) -> float:
    """Return how many a second several callers get."""
    began = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as callers:
        list(callers.map(lambda client: [work(client) for _ in range(calls // 2)], clients))
    return len(clients) * (calls // 2) / (time.perf_counter() - began)


def _row(bare: float, signed: float) -> str:
    return f"{bare:.2f} | {signed:.2f} | {signed / bare:.2f}"


def _durable(url: str) -> str:
    """Have the server write each commit to disk, which the tests' servers leave out."""
    port = make_url(url).port or 0
    with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    return url


if __name__ == "__main__":
    main()
