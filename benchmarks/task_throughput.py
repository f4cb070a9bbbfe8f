"""Small tasks through the real processes, on each kind of platform, beside plain Celery on the same servers.

    python -m benchmarks.task_throughput [--tasks 1500] [--kinds embedded rabbitmq redis] [--rounds 1]

For a rate a backlog is submitted first, then the workers start; the clock runs from the first tenth that ended to the
last task, so that starting processes counts for nobody. For a latency tasks come at a calm rate to idle workers.
MariaDB flushes its log at every commit, for both. Every process is ended.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import structlog
from sqlalchemy import create_engine, func, select

from benchmarks.celery_peer import Peer
from benchmarks.small_tasks import NOTHING, SLEEP
from gm_async_task.tasks.models import tasks
from shared.broker.queue import make_task_queue
from shared.task_api.dispatch import Dispatcher
from tests.support.cluster import QUEUE, Cluster
from tests.support.databases import MariaDbDatabases
from tests.support.platforms import KINDS, start_platform

CALM_SECONDS, CALM_RATE = 30, 10
LONGEST_SECONDS = 300.0
SETTINGS = {
    "GM_TASK_FUNCTIONS": '["benchmarks.small_tasks"]',
    # What operation has, instead of the tests' haste.
    "GM_LEASE_SECONDS": "60",
    "GM_SWEEP_SECONDS": "1",
    "GM_RING_AFTER_SECONDS": "5",
}
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Subject(Protocol):
    """What is measured."""

    def start_workers(self, count: int) -> None:
        """Start so many workers of two children each."""
        ...

    def stop_workers(self) -> None:
        """End them."""
        ...

    def submit(self, name: str) -> None:
        """Give in one small task."""
        ...

    def count_ended(self) -> int:
        """Return how many tasks have ended so far."""
        ...


class Platform:
    """Ours."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        queue = make_task_queue(cluster.environment["GM_BROKER_URL"])
        self._dispatcher = Dispatcher(cluster.tasks, queue, QUEUE)
        self._engine = create_engine(cluster.databases.tasks_url)
        self._workers: list[str] = ["gm_task"]

    def start_workers(self, count: int) -> None:
        for number in range(count):
            name = "gm_task" if number == 0 else f"gm_task_{number}"
            self.cluster.start_worker(name)
            self._workers.append(name)

    def stop_workers(self) -> None:
        while self._workers:
            self.cluster.processes[self._workers.pop()].kill()

    def submit(self, name: str) -> None:
        self._dispatcher.submit(station_id="S001", task_name=name, input={})

    def count_ended(self) -> int:
        with self._engine.connect() as connection:
            return int(connection.scalar(select(func.count()).where(tasks.c.status > 2)) or 0)

    def read_waits(self, count: int) -> list[float]:
        """Return the seconds between adding and starting of the last tasks, by the database's clock."""
        columns = (tasks.c.creat_time, tasks.c.start_time)
        with self._engine.connect() as connection:
            rows = connection.execute(select(*columns).order_by(tasks.c.id.desc()).limit(count)).all()
        return [(started - created).total_seconds() for created, started in rows]

    def count_calls(self) -> Counter[str]:
        """Return how often each address of the task API was called so far."""
        lines = self.cluster.processes["gm_async_task"].text().splitlines()
        return Counter(line.split('"path":')[1].split('"')[1] for line in lines if '"request_answered"' in line)


@dataclass
class Drained:
    """One backlog, worked off."""

    rate: float
    """tasks a second"""
    submit_ms: float
    """of the submitting process for each task"""
    cpu_ms: dict[str, float] = field(default_factory=dict)
    """of each program for each task"""


def main() -> None:
    """Measure each kind and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1500)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--rounds", type=int, default=1, help="the best of so many is taken")
    parser.add_argument("--only-platform", action="store_true", help="leave Celery out")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who ends us ends what we started
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for kind in given.kinds:
        with tempfile.TemporaryDirectory(prefix="gm-bench-") as name, ExitStack() as ends:
            measure_kind(kind, Path(name), ends, given)


def measure_kind(kind: str, folder: Path, ends: ExitStack, given: argparse.Namespace) -> None:
    """Measure the platform of one kind, then Celery on its servers."""
    cluster = start_platform(kind, folder, ends, demo_orders=False, **SETTINGS)
    if isinstance(cluster.databases, MariaDbDatabases):
        cluster.databases.server.set_global("innodb_flush_log_at_trx_commit", 1)
    platform = Platform(cluster)
    print(f"\n## {kind}, load {os.getloadavg()[0]:.1f}\n", flush=True)
    rates = {"the platform": measure_rates(platform, given)}
    calls, waits = measure_calm(platform)
    platform.stop_workers()
    lateness: dict[str, list[float]] = {"the platform": waits}
    if not given.only_platform:
        for label, started in (("Celery, start and result stored", True), ("Celery, result stored", False)):
            place = folder / f"peer{started:d}"
            place.mkdir()
            peer = Peer(place, peer_broker(cluster, place), peer_results(cluster, place), started=started)
            rates[label] = measure_rates(peer, given)
            lateness[label] = measure_peer_calm(peer)
    print_rates(rates)
    print_waits(lateness)
    print(f"\nHTTP calls a task: {', '.join(f'{path} {count:.2f}' for path, count in sorted(calls.items()))}")


def measure_rates(subject: Subject, given: argparse.Namespace) -> dict[str, Drained]:
    """Return what one worker and two workers do with tasks that do nothing, and with those that wait."""
    plans = {
        "nothing, 2 children": (NOTHING, given.tasks, 1),
        "nothing, 2 x 2 children": (NOTHING, given.tasks, 2),
        "50 ms, 2 children": (SLEEP, min(200, given.tasks), 1),
        "50 ms, 2 x 2 children": (SLEEP, min(400, given.tasks), 2),
    }
    return {
        what: max((drain(subject, *plan) for _ in range(given.rounds)), key=lambda drained: drained.rate)
        for what, plan in plans.items()
    }


def drain(subject: Subject, name: str, count: int, workers: int) -> Drained:
    """Submit a backlog, then start workers and see how fast they end it."""
    subject.stop_workers()
    before = subject.count_ended()
    began = time.perf_counter()
    for _ in range(count):
        subject.submit(name)
    submit_ms = (time.perf_counter() - began) / count * 1000
    subject.start_workers(workers)
    wait_until(lambda: subject.count_ended() - before >= count // 10)
    first, from_then, used = subject.count_ended() - before, time.perf_counter(), cpu_seconds()
    wait_until(lambda: subject.count_ended() - before >= count)
    done, took, then = count - first, time.perf_counter() - from_then, cpu_seconds()
    cpu = {program: (seconds - used.get(program, 0.0)) / done * 1000 for program, seconds in then.items()}
    return Drained(done / took, submit_ms, cpu)


def measure_calm(platform: Platform) -> tuple[dict[str, float], list[float]]:
    """Return the calls of a task, and the seconds from adding to start, of tasks that come one by one."""
    platform.stop_workers()
    platform.start_workers(1)
    submit_and_wait(platform)
    before = platform.count_calls()
    count = at_calm_rate(lambda: platform.submit(NOTHING))
    wait_until(lambda: platform.count_calls()["/task/finish"] - before["/task/finish"] >= count)
    calls = {path: number / count for path, number in (platform.count_calls() - before).items()}
    return {path: number for path, number in calls.items() if path.startswith("/task/")}, platform.read_waits(count)


def measure_peer_calm(peer: Peer) -> list[float]:
    """Return the seconds from sending to start."""
    peer.stop_workers()
    peer.start_workers(1)
    submit_and_wait(peer)
    asked: list = []
    at_calm_rate(lambda: asked.append(peer.ask_lateness()))
    waits = [each.get(timeout=30) for each in asked]
    peer.stop_workers()
    return waits


def submit_and_wait(subject: Subject) -> None:
    """Have a few tasks done, so that every process has its connections."""
    before = subject.count_ended()
    for _ in range(10):
        subject.submit(NOTHING)
    wait_until(lambda: subject.count_ended() - before >= 10)


def at_calm_rate(act: Callable[[], object]) -> int:
    """Act evenly for a while; return how often."""
    count, began = CALM_SECONDS * CALM_RATE, time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / CALM_RATE - time.monotonic()))
        act()
    return count


def wait_until(condition: Callable[[], bool]) -> None:
    """Look ten times a second, so that looking costs little of what is measured."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"not done within {LONGEST_SECONDS:.0f} s")
        time.sleep(0.1)


def peer_broker(cluster: Cluster, place: Path) -> str:
    """Return the address of the platform's own broker; of the embedded one another file."""
    url = cluster.environment["GM_BROKER_URL"]
    return f"doorbell:///{place}/broker.db" if url.startswith("doorbell") else url


def peer_results(cluster: Cluster, place: Path) -> str:
    """Return the address of an empty database on the platform's own server."""
    databases = cluster.databases
    return databases.server.make_url() if isinstance(databases, MariaDbDatabases) else f"sqlite:///{place}/results.db"


def cpu_seconds() -> dict[str, float]:
    """Return what each program that this process started has used so far, with its children."""
    used: Counter[str] = Counter()
    for pid in children_of(os.getpid()):
        used[program_of(pid)] += sum(_own_cpu_seconds(each) for each in family_of(pid))
    return dict(used)


def program_of(pid: int) -> str:
    """Name a process: the module that Python runs, else its program."""
    argv = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    module = next((part for part in argv if part.startswith(("gm_", "benchmarks."))), "")
    return module.split("/")[0] or Path(argv[0]).name


def family_of(pid: int) -> Iterator[int]:
    """Yield a process and all below it."""
    yield pid
    for child in children_of(pid):
        yield from family_of(child)


def children_of(pid: int) -> list[int]:
    """Return the children of all threads of a process."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]


def _own_cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS


def print_rates(rates: dict[str, dict[str, Drained]]) -> None:
    """Print tasks a second, how many times Celery's they are, and where the CPU time goes."""
    print("| tasks | " + " | ".join(f"{label}, tasks/s" for label in rates) + " | ratios |")
    print("| --- |" + " --- |" * (len(rates) + 1))
    for what in rates["the platform"]:
        reached = [drained[what].rate for drained in rates.values()]
        ratios = ", ".join(f"{reached[0] / other:.2f}" for other in reached[1:])
        print(f"| {what} | " + " | ".join(f"{rate:.0f}" for rate in reached) + f" | {ratios} |")
    print()
    for label, drained in rates.items():
        one = drained["nothing, 2 children"]
        cpu = ", ".join(f"{program} {ms:.2f}" for program, ms in sorted(one.cpu_ms.items()) if ms >= 0.05)
        print(f"{label}: {one.submit_ms:.2f} ms to submit one; CPU ms a task: {cpu}")


def print_waits(waits: dict[str, list[float]]) -> None:
    """Print how long tasks that came alone waited for their start."""
    print(f"\n| {CALM_RATE} tasks a second, submit to start | p50 | p95 | p99 |\n| --- | --- | --- | --- |")
    for label, seconds in waits.items():
        cuts = statistics.quantiles(seconds, n=100)
        print(f"| {label} | " + " | ".join(f"{cuts[place] * 1000:.1f} ms" for place in (49, 94, 98)) + " |")


if __name__ == "__main__":
    main()
