"""What profiling costs: switched off, and each way of it on, side by side, round by round.

    python -m benchmarks.profiling_overhead [--rounds 15]

Requests are called as gunicorn calls them, with nothing of HTTP around; the export is that of the demo's orders into an
.xlsx file. The processor's time is measured, which other work on the machine changes least. "Off" is measured twice:
the ratio of the two is what can't be told from noise.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask

from gm_service.demo.load import load_demo_orders
from gm_service.migrate import migrate
from gm_service.orders.exports.making import export_to_file
from gm_service.orders.query import ExportRequest, OrderQuery, QueryType
from gm_service.orders.store import insert_time_configs
from shared.database import in_write, make_engine
from shared.logs import configure_logs
from shared.profiling.decorator import do_cprofile
from shared.profiling.session import Subject, watching
from shared.profiling.store import ProfileStore
from tests.support.async_task import AUTH_KEY, AppTransport, make_database, make_service
from tests.support.order_rows import CYCLE, STATION

CALLS = 100
KEY = "operator-" + "k" * 32
ZONE = ZoneInfo("Asia/Shanghai")
Case = Callable[[], object]


def main() -> None:
    """Measure all three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    configure_logs("benchmark", "CRITICAL", [])
    with TemporaryDirectory() as name:
        place = Path(name)
        print_decorator(rounds)
        off, asked = request_cases(place)
        show(f"a request of gm_async_task, {CALLS} calls a round", measure(off, rounds), CALLS)
        show(f"the same, profiled each time, {CALLS} calls a round", measure(asked, rounds), CALLS)
        show("an export of 41,074 lines", measure(export_cases(place), rounds), 1)


def print_decorator(rounds: int) -> None:
    """Say what a decorated function costs while profiling is off."""

    def plain(number: int) -> int:
        return number

    decorated = do_cprofile("never.prof")(plain)
    calls = 200_000

    def repeat(function: Callable[[int], int]) -> Case:
        def go() -> None:
            for number in range(calls):
                function(number)

        return go

    measured = measure({"plain": repeat(plain), "decorated, off": repeat(decorated)}, rounds)
    plain_ns, off_ns = (statistics.median(seconds) / calls * 1e9 for seconds in measured.values())
    print(f"  a decorated call, off: {off_ns - plain_ns:.0f} ns more than the {plain_ns:.0f} ns of a plain one")


def request_cases(place: Path) -> tuple[dict[str, Case], dict[str, Case]]:
    """Return the requests that nobody profiles, and those that are profiled in each way."""
    database = make_database(f"sqlite:///{place}/tasks.db")
    off, again = make_service(database), make_service(database)
    ready = make_service(database, profile_dir=place / "profiles", profile_key=KEY, profile_every={"POST /never": 1000})
    added = AppTransport(off).call("POST", "/task/add", {"station_id": "S1", "task_name": "demo.work", "input": "{}"})
    target = int(added["task_id"])
    not_profiled = {
        "off": repeat_request(off, target),
        "off again": repeat_request(again, target),
        "folder and key set, not asked": repeat_request(ready, target),
    }
    profiled = {way: repeat_request(ready, target, way) for way in ("ledger", "sample", "cprofile")}
    return not_profiled, {"not asked": not_profiled["folder and key set, not asked"], **profiled}


def repeat_request(app: Flask, task_id: int, way: str = "") -> Case:
    """Return a round of requests."""
    asking = {"HTTP_X_PROFILE": way, "HTTP_X_PROFILE_KEY": KEY} if way else {}

    def go() -> None:
        for _ in range(CALLS):
            answer: Any = app.wsgi_app(make_environ(task_id) | asking, lambda *_: None)
            b"".join(answer)
            answer.close()

    return go


def make_environ(task_id: int) -> dict[str, Any]:
    """Return a request as a server hands it over."""
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/task/get",
        "QUERY_STRING": f"task_id={task_id}",
        "HTTP_X_AUTH_KEY": AUTH_KEY,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(b""),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
    }


def export_cases(place: Path) -> dict[str, Case]:
    """Return the export in each way."""
    engine = make_engine(f"sqlite:///{place}/orders.db")
    migrate(engine)
    in_write(engine, lambda connection: insert_time_configs(connection, STATION, [CYCLE]))
    load_demo_orders(engine, ZONE)
    days = OrderQuery(QueryType.ORDER_DATE, start_date=date(2010, 12, 1), end_date=date(2010, 12, 23))
    request = ExportRequest(STATION, days, "house", "orders.xlsx", "en")
    store = ProfileStore(place / "exports")

    def export(way: str) -> Case:
        def watched() -> AbstractContextManager[object]:
            return watching(Subject("script", "export", way), store) if way else nullcontext()

        def go() -> None:
            with watched():
                export_to_file(engine, request, ZONE, directory=place / "out", name="1.1")

        return go

    return {
        "off": export(""),
        "off again": export(""),
        **{way: export(way) for way in ("ledger", "sample", "cprofile")},
    }


def measure(cases: dict[str, Case], rounds: int) -> dict[str, list[float]]:
    """Return the processor's seconds of each round, all cases in turn; a first round warms up and is left out."""
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for round_number in range(rounds + 1):
        for name, case in cases.items():
            began = time.process_time()
            case()
            if round_number:
                seconds[name].append(time.process_time() - began)
    return seconds


def show(title: str, measured: dict[str, list[float]], calls: int) -> None:
    """Print the median of each case and its ratio to the first, by rounds."""
    print(f"  {title}")
    first = next(iter(measured.values()))
    for name, seconds in measured.items():
        ratio = statistics.median(a / b for a, b in zip(seconds, first, strict=True))
        each = statistics.median(seconds) / calls
        shown = f"{each * 1e6:8.1f} us" if calls > 1 else f"{each * 1e3:8.1f} ms"
        print(f"    {name:32} {shown} CPU, ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
