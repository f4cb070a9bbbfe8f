"""How soon workflow jobs advance, over HTTP with real processes and two worker processes.

    python -m benchmarks.jobs [--kind embedded|rabbitmq|redis] [--graph FILE.svg]

`ping` alone on an idle platform, 200 `ping` jobs created at once, and 50 parallel tasks with one that collects them.
`--graph` also takes an order file in as a job, and writes its graph.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.support.cluster import Cluster
from tests.support.import_jobs import order_rows
from tests.support.job_client import JOB_SETTINGS, JobClient, task
from tests.support.platforms import KINDS, start_platform

IDLE_PINGS, AT_ONCE, PARALLEL = 20, 200, 50
# As by default: tests ring again much sooner, which in a long queue is work for nothing.
SETTINGS = {**JOB_SETTINGS, "GM_RING_AFTER_SECONDS": "5", "GM_SWEEP_SECONDS": "1"}


def main() -> None:
    """Start a platform, run the jobs, and say what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=KINDS, default="embedded")
    parser.add_argument("--graph", type=Path)
    given = parser.parse_args()
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        platform = start_platform(given.kind, folder, ends, **SETTINGS)
        jobs = JobClient.of(platform)
        jobs.ended(jobs.create("ping"))  # children start, connections are made
        costs = sorted(idle_ping(jobs) for _ in range(IDLE_PINGS))
        print(f"{given.kind}, two worker processes\n\n| | seconds |\n| --- | --- |")
        print(
            f"| `ping` on an idle platform, creation to end, median of {IDLE_PINGS} | {statistics.median(costs):.3f} |"
        )
        print(f"| the slowest of them | {costs[-1]:.3f} |")
        print(f"| {AT_ONCE} `ping` jobs created at once, first creation to last end | {many_pings(jobs):.1f} |")
        print(f"| {PARALLEL} parallel tasks and a collect | {parallel(jobs):.2f} |")
        if given.graph:
            given.graph.write_bytes(order_graph(platform, jobs))


def idle_ping(jobs: JobClient) -> float:
    """Return what one `ping` takes from its creation to its end, by the database's clock."""
    job_id = jobs.create("ping")
    while jobs.detail(job_id)["job_status"] == "started":
        time.sleep(0.05)
    return float(jobs.detail(job_id)["job_cost"])


def many_pings(jobs: JobClient) -> float:
    """Return the seconds from the first creation of many jobs to the end of the last."""
    began = time.monotonic()
    with ThreadPoolExecutor(20) as clients:
        list(clients.map(lambda number: jobs.create("ping", job_namespace=f"many-{number % 5}"), range(AT_ONCE)))
    while jobs.call("list_jobs", job_status="started", page_size=1)["data"]["total"]:
        time.sleep(0.1)
    return time.monotonic() - began


def parallel(jobs: JobClient) -> float:
    """Return what many parallel tasks and one that collects them take."""
    labels = [f"t{number}" for number in range(PARALLEL)]
    collect = task("collect", "/demo_api/collect", *labels, requires=["all_taskdata"], is_save=True)
    job_id = jobs.create_graph(*(task(label) for label in labels), collect)
    job = jobs.ended(job_id, 60)
    assert len(job["ret_data"]) == PARALLEL, job
    return float(job["job_cost"])


def order_graph(platform: Cluster, jobs: JobClient) -> bytes:
    """Return the graph of a job that took an order file in."""
    body = {"task_id": "graph", "time_config_id": "whole-day", "file_name": "orders.xlsx"}
    rows = order_rows(20, "graph-")
    answer = platform.first.post("/station/order/batch/intake", {**body, "order_data": rows}).json()
    job_id = int(answer["data"]["job_id"])
    jobs.ended(job_id, 60)
    return jobs.ask("get_graph", job_id=job_id, format="svg").content


if __name__ == "__main__":
    main()
