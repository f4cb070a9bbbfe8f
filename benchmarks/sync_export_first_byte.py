"""From a clerk's click to the first byte of a sync export of 20 orders, against the running platform over HTTP.

    python -m benchmarks.sync_export_first_byte [--clicks 200]

A click is two requests, as the page makes them: ask for the export, fetch the link that is answered. Beside it: the
fetching alone, a static file of the same service, and XlsxWriter writing the same rows with no service around it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import requests
from sqlalchemy import select

from benchmarks.bare_xlsxwriter import BareFile
from benchmarks.many_orders import STATION, ZONE, to_plain
from gm_service.orders.exports.making import iter_orders, open_snapshot
from gm_service.orders.models import orders
from gm_service.orders.query import OrderQuery, QueryType
from shared.database import make_engine
from tests.support.cluster import Cluster

ORDERS = 20
CYCLE = "whole-day"
STATIC_FILE = "/static/js/task_list.js"
_WARM_UP = 10


def main() -> None:
    """Start the platform with the demo's orders, click, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=200)
    clicks = parser.parse_args().clicks
    with tempfile.TemporaryDirectory() as name, Cluster(Path(name), demo_orders=True) as platform:
        clerk = Clerk(platform.first.url, platform.first.token, first_orders(platform))
        link = clerk.ask()
        rows = read_rows(platform, clerk.query)
        measured = {
            "click to first byte": measure(lambda: clerk.fetch(clerk.ask()), clicks),
            "fetching alone": measure(lambda: clerk.fetch(link), clicks),
            "a static file": measure(lambda: clerk.fetch(STATIC_FILE), clicks),
            "XlsxWriter alone": measure(lambda: write_bare(rows, Path(name) / "bare.xlsx"), clicks),
        }
    print(f"{ORDERS} orders, {len(rows)} lines, {clicks} clicks")
    print_table(measured)


class Clerk:
    """Exports by HTTP, as a browser."""

    def __init__(self, url: str, token: str, query: OrderQuery) -> None:
        self.query = query
        self._url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(self) -> str:
        """Ask for the export and return the link to the file, which is made by then."""
        parameters = self.query.to_json()
        answer = self._session.get(f"{self._url}/station/sales_analysis/orderdetail", params=parameters, timeout=30)
        link: str = answer.json()["data"]["link"]
        return link

    def fetch(self, link: str) -> None:
        """Fetch a file: return when the first byte is there, which is when the clock should stop."""
        with self._session.get(self._url + link, timeout=30, stream=True) as answer:
            answer.raise_for_status()
            answer.raw.read(1)


def first_orders(platform: Cluster) -> OrderQuery:
    """Return a query that has exactly `ORDERS` orders: of one cycle, up to the moment of the next order."""
    statement = (
        select(orders.c.order_time)
        .where(orders.c.station_id == STATION, orders.c.time_config_id == CYCLE)
        .order_by(orders.c.order_time)
    )
    engine = make_engine(platform.environment["GM_SERVICE_DATABASE_URL"])
    with open_snapshot(engine) as connection:
        moments = list(connection.scalars(statement))
    place = next(place for place in range(ORDERS, len(moments)) if moments[place] > moments[place - 1])
    if place != ORDERS:
        raise SystemExit("Two orders share a moment just there; no query tells them apart.")
    return OrderQuery(
        QueryType.OPERATING_CYCLE,
        time_config_id=CYCLE,
        cycle_start_time=_aware(moments[0]),
        cycle_end_time=_aware(moments[place]),
    )


def read_rows(platform: Cluster, query: OrderQuery) -> list[tuple]:
    """Return the lines of the export in what XlsxWriter takes at once."""
    engine = make_engine(platform.environment["GM_SERVICE_DATABASE_URL"])
    with open_snapshot(engine) as connection:
        return [to_plain(row) for rows in iter_orders(connection, STATION, query, ZONE) for row in rows]


def write_bare(rows: list[tuple], path: Path) -> None:
    """Write the rows with XlsxWriter."""
    file = BareFile(path)
    file.write(rows)
    file.close()


def measure(act: Callable[[], None], times: int) -> list[float]:
    """Return the milliseconds that each of so many calls took; the first few don't count."""
    for _ in range(_WARM_UP):
        act()
    return [_milliseconds(act) for _ in range(times)]


def print_table(measured: dict[str, list[float]]) -> None:
    """Print median and 95th percentile, and how many clicks' worth each is."""
    base = statistics.median(next(iter(measured.values())))
    print("\n| | median | p95 | of a click |\n| --- | --- | --- | --- |")
    for name, times in measured.items():
        median, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        print(f"| {name} | {median:.1f} ms | {p95:.1f} ms | {median / base:.2f} |")


def _milliseconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
