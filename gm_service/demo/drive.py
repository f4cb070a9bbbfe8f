"""Shows the main job over HTTP against a running platform: `make demo`.

It speaks as any program of the station would: with the station's token, to addresses found in `.run/env`, or in the
file that it is given.
"""

from __future__ import annotations

import csv
import io
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from python_calamine import CalamineWorkbook
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from gm_service.demo.load import demo_batch
from shared.ops.env_file import read_env

ENV_FILE = ".run/env"
IMPORT_ROWS = 1500
SHOWN_FAILED_ROWS = 12
BATCH_TIME_CONFIG = "whole-day"
WAIT_SECONDS = 180
POLL_SECONDS = 0.2
DECEMBER = {"query_type": "1", "start_date": "2010-12-01", "end_date": "2010-12-23"}
MORNING_CYCLE = {
    "query_type": "2",
    "time_config_id": "morning",
    "cycle_start_time": "2010-12-01 06:00:00",
    "cycle_end_time": "2010-12-10 06:00:00",
}

console = Console()


class DemoFailed(Exception):
    """What did not go as promised."""


class Station:
    """The station's side of the conversation."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the data of an answer."""
        return self._unwrap(self._session.get(self._url + path, params=parameters, timeout=60))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the data of an answer."""
        return self._unwrap(self._session.post(self._url + path, json=body, timeout=60))

    def upload(self, path: str, name: str, content: bytes, **fields: str) -> Any:
        """Send a file as a browser's form does; return the data of the answer."""
        files = {"file": (name, content)}
        return self._unwrap(self._session.post(self._url + path, data=fields, files=files, timeout=60))

    def download(self, path: str) -> bytes:
        """Return the bytes of a file."""
        response = self._session.get(self._url + path, timeout=60)
        if response.status_code != 200:
            raise DemoFailed(f"the download answered {response.status_code}")
        return response.content

    @staticmethod
    def _unwrap(response: requests.Response) -> Any:
        envelope = response.json()
        if envelope["code"] != 0:
            raise DemoFailed(f"{envelope['code']}: {envelope['msg']}")
        return envelope["data"]


def main() -> None:
    """Export a lot, export a little, import real orders of which some are bad, correct these and run them again."""
    station = _station(Path(__file__).parents[2] / (sys.argv[1] if sys.argv[1:] else ENV_FILE))
    try:
        export_in_the_background(station)
        export_at_once(station)
        task_id = import_with_bad_rows(station)
        correct_and_run_again(station, task_id)
    except (DemoFailed, requests.RequestException) as error:
        console.print(f"[red]The demo stopped:[/red] {error}")
        sys.exit(1)
    console.print("\nAll four did what they promise.")


def export_in_the_background(station: Station) -> None:
    """All of December is far above the threshold: a task makes the file."""
    console.rule("1. A big export: all orders of December 2010")
    answer = station.get("/station/sales_analysis/orderdetail", **DECEMBER)
    console.print(f"async = {answer['async']}: {answer['reason']}\ntask_url = {answer['task_url']}")
    _expect(answer["async"] == 1, "a big export is made in the background")
    ended = _watch(station, answer["task_url"], "exporting")
    _expect(ended["status"] == 3, f"the export finished: {ended}")
    result = ended["result"]
    console.print(f"{result['orders']:,} orders, {result['rows']:,} lines, {result['bytes']:,} bytes")
    _show_file(station.download(result["link"]), result["file_name"])


def export_at_once(station: Station) -> None:
    """A few operating cycles have few orders: the answer holds the link."""
    console.rule("2. A small export: the morning cycles of nine days")
    answer = station.get("/station/sales_analysis/orderdetail", **MORNING_CYCLE)
    if answer["async"] == 1:
        raise DemoFailed(f"expected a small export: {answer['reason']}")
    console.print(f"async = {answer['async']}: {answer['reason']}\nlink = {answer['link']}")
    _show_file(station.download(answer["link"]), "orderdetail.xlsx")


def import_with_bad_rows(station: Station) -> str:
    """Real orders, with the faults that real orders have: checked first, then imported all the same."""
    console.rule(f"3. An import of {IMPORT_ROWS} real orders, some of them bad")
    submission = uuid.uuid4().hex
    batch = {
        "time_config_id": BATCH_TIME_CONFIG,
        "file_name": "orders-of-december.json",
        "order_data": demo_batch(IMPORT_ROWS, prefix=f"D{submission[:8]}-"),
    }
    checked = station.post("/station/order/batch/check", batch)
    console.print(f"checked: {checked['created']} would be created, worth {checked['amount']}, {checked['failed']} not")
    answer = station.post("/station/order/batch/submit", {"task_id": submission, **batch})
    console.print(f"task_url = {answer['task_url']}")
    ended = _watch(station, answer["task_url"], "importing")
    _expect(ended["status"] == 4, "some rows failed and the others were created")
    result = ended["result"]
    console.print(f"{result['created']} created, {result['failed']} failed of {result['total']}. {ended['reason']}")
    _expect(result["failed"] == checked["failed"], "the check had said so")
    _show_failed(result["rows"])
    return str(answer["task_url"]).rpartition("=")[2]


def correct_and_run_again(station: Station, task_id: str) -> None:
    """The failed rows as a file, as a clerk would correct them in a spreadsheet; only they run again."""
    console.rule("4. The failed rows, corrected and run again")
    sheet = _read_sheet(station.download(f"/station/order/batch/open_rows?task_id={task_id}"))
    console.print(f"{len(sheet) - 1:,} rows to correct, as the file has them:")
    _show_rows([[*row[:1], *row[-3:]] for row in sheet], "the order number, and the last columns")
    corrected = _to_csv(_correct(sheet))
    amended = station.upload("/station/order/batch/amend", "corrected.csv", corrected, task_id=task_id)
    console.print(f"{amended['created']:,} created, {amended['failed']:,} failed of {amended['total']:,}")
    _expect(amended["status"] == 3, "the import is finished")


def _correct(sheet: list[list[Any]]) -> list[list[Any]]:
    """Do what the reasons ask for: quantities and prices above zero, a buyer."""
    titles = sheet[0]
    quantity, price, buyer = (titles.index(title) for title in ("Quantity", "Unit price", "Buyer code"))
    for row in sheet[1:]:
        row[quantity] = abs(float(row[quantity])) or 1
        row[price] = abs(float(row[price])) or 0.01
        row[buyer] = row[buyer] or "17850"
    return sheet


def _to_csv(sheet: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(sheet)
    return text.getvalue().encode()


def _watch(station: Station, task_url: str, what: str) -> dict[str, Any]:
    """Show the task's progress as it moves, and return the task when it has ended."""
    task_id = task_url.rpartition("=")[2]
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(what, total=100)
        seen: set[int] = set()

        def has_ended() -> bool:
            task = station.get("/task/get", task_id=task_id)
            seen.add(task["progress"] or 0)
            progress.update(bar, completed=task["progress"] or 0)
            return bool(task["status"] in (3, 4, 5))

        _wait(has_ended)
    console.print(f"progress seen: {', '.join(f'{percent} %' for percent in sorted(seen))}")
    ended: dict[str, Any] = station.get("/async_task/detail", task_id=task_id)
    return ended


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise DemoFailed(f"the task did not end within {WAIT_SECONDS} seconds")
        time.sleep(POLL_SECONDS)


def _show_file(content: bytes, name: str) -> None:
    sheet = _read_sheet(content)
    _show_rows([row[:7] for row in sheet], f"{name}: {len(sheet) - 2:,} rows between header and totals")


def _read_sheet(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def _show_rows(sheet: list[list[Any]], title: str) -> None:
    table = Table(title=title, title_justify="left")
    for name in sheet[0]:
        table.add_column(str(name))
    for row in sheet[1:4]:
        table.add_row(*(str(cell) for cell in row))
    console.print(table)


def _show_failed(rows: list[dict[str, Any]]) -> None:
    failed = [row for row in rows if row["state"] == "failed"]
    shown = min(len(failed), SHOWN_FAILED_ROWS)
    table = Table(title=f"The first {shown} of {len(failed)} failed rows", title_justify="left")
    for title in ("row", "column", "value", "reason"):
        table.add_column(title)
    for row in failed[:SHOWN_FAILED_ROWS]:
        table.add_row(str(row["index"]), str(row["column"]), str(row["value"]), str(row["reason"]))
    console.print(table)


def _station(env_file: Path) -> Station:
    if not env_file.exists():
        console.print("Nothing runs here yet: `make run` or `make stack` first.")
        sys.exit(1)
    values = read_env(env_file)
    return Station(values["GM_SERVICE_URL"], values["GM_STATION_TOKEN"])


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise DemoFailed(f"this should hold: {what}")


if __name__ == "__main__":
    main()
