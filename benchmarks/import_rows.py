"""An import of 10,000 real orders by the order service, beside SQLAlchemy Core inserting the very same rows alone.

    python -m benchmarks.import_rows [--rows 10000] [--database mariadb|sqlite]

The import is the whole of it: rows entered in the ledger, judged, created in parts of 500 as the worker asks for
them, and the task's result made. The bare inserts are what is left of that without rules, ledger and answer.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from gm_service.demo.load import WHOLE_DAY, demo_batch
from gm_service.migrate import migrate
from gm_service.orders import store
from gm_service.orders.imports.attempting import line_rows, order_row
from gm_service.orders.imports.judging import Scope
from gm_service.orders.imports.validation import NewOrder, check_order
from shared.database import in_write, make_engine
from tests.support.imports import Imports
from tests.support.mariadb import start_server
from tests.support.order_rows import STATION

PART = 500
ZONE = ZoneInfo("Asia/Shanghai")
MIN_PREFLIGHT_RATE = 2000
"""rows a second: ten thousand rows within seconds"""


@dataclass
class Reached:
    """How long something took, and how many statements."""

    name: str
    rows: int
    seconds: float
    statements: int

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def main() -> None:
    """Measure both on an empty database each, and say it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--database", choices=["mariadb", "sqlite"], default="mariadb")
    options = parser.parse_args()
    orders = demo_batch(options.rows)
    with tempfile.TemporaryDirectory() as name, _database(Path(name), options.database) as make_url:
        bare = measure_bare(_prepared(make_url("bare")), orders)
        before_mb = _peak_mb()
        preflight, imported = measure_import(_prepared(make_url("whole")), orders)
    print(f"{options.rows:,} orders, {sum(len(order['lines']) for order in orders):,} lines, {options.database}")
    print("| | rows/s | of the bare inserts | statements |\n| --- | --- | --- | --- |")
    for each in (bare, preflight, imported):
        print(f"| {each.name} | {each.rate:,.0f} | {each.rate / bare.rate:.2f} | {each.statements:,} |")
    print(f"peak memory of the process: {_peak_mb():.0f} MB, {before_mb:.0f} MB of it before the import")
    if preflight.rate < MIN_PREFLIGHT_RATE:
        raise SystemExit(f"Promised: a pre-flight of at least {MIN_PREFLIGHT_RATE} rows a second.")


def measure_bare(engine: Engine, orders: list[Any]) -> Reached:
    """Insert the good ones of the orders with their lines, in parts, and nothing else."""
    scope = Scope(STATION, WHOLE_DAY, ZONE, task_id=1)
    read = {index: check_order(order, ZONE, WHOLE_DAY) for index, order in enumerate(orders)}
    good = [(index, order) for index, order in read.items() if isinstance(order, NewOrder)]
    parts = [
        (
            [order_row(order, scope, index) for index, order in good[start : start + PART]],
            {order.order_no: line_rows(order) for _, order in good[start : start + PART]},
        )
        for start in range(0, len(good), PART)
    ]

    def insert() -> None:
        for rows, lines in parts:
            in_write(engine, lambda c, rows=rows, lines=lines: store.insert_orders(c, STATION, rows, lines))

    seconds, statements = _measured(engine, insert)
    return Reached("bare inserts of the good rows", len(good), seconds, statements)


def measure_import(engine: Engine, orders: list[Any]) -> tuple[Reached, Reached]:
    """Check the orders, then submit and run them."""
    imports = Imports(engine)
    checked = _measured(engine, lambda: imports.check(orders))

    def whole() -> None:
        task_id = imports.submit(orders)
        task = imports.run(task_id, rows=PART, calls=None)
        assert task.result["not_attempted"] == 0

    ran = _measured(engine, whole)
    return Reached("pre-flight", len(orders), *checked), Reached("the whole import", len(orders), *ran)


def _measured(engine: Engine, work: Callable[[], object]) -> tuple[float, int]:
    count = 0

    def note(*_: Any) -> None:
        nonlocal count
        count += 1

    event.listen(engine, "before_cursor_execute", note)
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    event.remove(engine, "before_cursor_execute", note)
    return seconds, count


def _prepared(url: str) -> Engine:
    engine = make_engine(url)
    migrate(engine)

    def add_cycle(connection: Connection) -> None:
        store.insert_time_configs(connection, STATION, [WHOLE_DAY])

    in_write(engine, add_cycle)
    return engine


@contextmanager
def _database(folder: Path, kind: str) -> Iterator[Callable[[str], str]]:
    if kind == "sqlite":
        yield lambda name: f"sqlite:///{folder}/{name}.db"
        return
    server = start_server(folder)
    try:
        yield lambda _: server.make_url()
    finally:
        server.stop()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
