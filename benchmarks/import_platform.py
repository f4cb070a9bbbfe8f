"""An import of 10,000 orders through the whole platform: from the clerk's file to the ended task, over HTTP.

    python -m benchmarks.import_platform [--rows 10000]

Real processes on SQLite and the embedded broker. The orders come as an .xlsx of one row each; every tenth is bad.
Memory is the resident set at its highest (VmHWM) of every process of a service, before and after.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
import xlsxwriter

from tests.support.cluster import Cluster
from tests.support.import_jobs import ENDS, order_rows
from tests.support.waiting import wait_for

BATCH = "/station/order/batch/"


def main() -> None:
    """Start the platform, check and import a file, correct its bad rows, and say what each took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as name, Cluster(Path(name), demo_orders=True) as platform:
        clerk = Clerk(platform, make_file(rows))
        before = peaks(platform)
        measured = {
            "pre-flight of the file": timed(clerk.check),
            "upload to accepted task": timed(clerk.submit),
            "accepted task to its end": timed(clerk.wait),
            "failed rows as a file": timed(clerk.download),
            "correcting every failed row": timed(clerk.amend),
        }
        after = peaks(platform)
    print(f"{rows:,} rows, {rows // 10:,} of them bad\n\n| | seconds | rows a second |\n| --- | --- | --- |")
    for what, seconds in measured.items():
        count = rows // 10 if "failed" in what else rows
        print(f"| {what} | {seconds:.2f} | {count / seconds:,.0f} |")
    print("\n| | peak memory before | after |\n| --- | --- | --- |")
    for service, megabytes in after.items():
        print(f"| {service}, all its processes | {before[service]:.0f} MB | {megabytes:.0f} MB |")


class Clerk:
    """One import, from its file to its last correction."""

    def __init__(self, platform: Cluster, content: bytes) -> None:
        self.platform = platform
        self.station = platform.first
        self.content = content
        self.task_id = 0

    def check(self) -> None:
        """Have the file judged."""
        self._upload("check", time_config_id="whole-day")

    def submit(self) -> None:
        """Give the file to the platform."""
        data = self._upload("submit", task_id="bench", time_config_id="whole-day")
        self.task_id = int(data["task_url"].rpartition("=")[2])

    def wait(self) -> None:
        """Wait for the task's end."""
        wait_for(lambda: self.platform.tasks.get(self.task_id, brief=True).status in ENDS, 300, "the end")

    def download(self) -> None:
        """Fetch the failed rows."""
        assert self.station.get(BATCH + "open_rows", task_id="bench").ok

    def amend(self) -> None:
        """Correct every failed row."""
        failed = [row for row in self.platform.tasks.get(self.task_id).result["rows"] if row["state"] == "failed"]
        orders = order_rows(max(row["index"] for row in failed) + 1, "bench-", bad_every=10**9)
        corrected = [{"index": row["index"], "order": orders[row["index"]]} for row in failed]
        answer = self.station.post(BATCH + "amend", {"task_id": "bench", "rows": corrected}).json()
        assert answer["data"]["status"] == 3, answer["msg"]

    def _upload(self, verb: str, **fields: str) -> Any:
        answer = requests.post(
            self.station.url + BATCH + verb,
            headers={"Authorization": f"Bearer {self.station.token}"},
            files={"file": ("bench.xlsx", self.content)},
            data=fields,
            timeout=120,
        ).json()
        assert answer["code"] == 0, answer["msg"]
        return answer["data"]


def make_file(rows: int) -> bytes:
    """Return an .xlsx of orders of one row each."""
    orders = order_rows(rows, "bench-")
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(orders[0]))
        for number, order in enumerate(orders, start=1):
            sheet.write_row(number, 0, list(order.values()))
    return content.getvalue()


def timed(work: Callable[[], None]) -> float:
    """Return how long it took, in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def peaks(platform: Cluster) -> dict[str, float]:
    """Return the peak memory of each service's processes together, in MB."""
    return {name: sum(_peak_mb(pid) for pid in _family(each.pid)) for name, each in platform.processes.items()}


def _family(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from _family(int(child))


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
