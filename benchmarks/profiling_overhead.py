"""What profiling costs: switched off, and each way of it on, each beside the same work without it, turn by turn.

    nice -n -20 python -m benchmarks.profiling_overhead [--pairs 200] [--exports 20]

Requests are called as gunicorn calls them, with nothing of HTTP around; the export is that of the demo's orders into an
.xlsx file. Each case B is run between two turns of A, which is "off": A B A B A. A turn's ratio is B to the mean
of the A before and the A after it, so that a machine that becomes slower or faster meanwhile changes nothing. What is
printed is the median of the ratios with its 95 % interval (bootstrap), of the processor's time and of the clock's,
and the same of A against the A around it: what lies within that can't be told from noise.
"""

from __future__ import annotations

import argparse
import gc
import io
import random
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine

from gm_service.demo.load import load_demo_orders
from gm_service.migrate import migrate
from gm_service.orders.exports.making import export_to_file
from gm_service.orders.query import ExportRequest, OrderQuery, QueryType
from gm_service.orders.store import insert_time_configs
from shared.database import in_write, make_engine
from shared.logs import configure_logs
from shared.profiling.decorator import do_cprofile
from shared.profiling.session import Subject, watching
from shared.profiling.statements import _after, _before, listen_to_engines
from shared.profiling.store import ProfileStore
from tests.support.async_task import AUTH_KEY, AppTransport, make_database, make_service
from tests.support.order_rows import CYCLE, STATION

CALLS = 20
"""requests in a turn"""
SHORT_CALLS = 20_000
KEY = "operator-" + "k" * 32
ZONE = ZoneInfo("Asia/Shanghai")
WAYS = ("ledger", "sample", "cprofile")
Case = Callable[[], object]


def main() -> None:
    """Measure decorators, requests, exports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=200, help="turns of each case of requests")
    parser.add_argument("--exports", type=int, default=20, help="turns of each way of exports")
    options = parser.parse_args()
    configure_logs("benchmark", "CRITICAL", [])
    with TemporaryDirectory() as name:
        place = Path(name)
        compare_decorators(options.pairs)
        compare_requests(place, options.pairs)
        compare_exports(place, options.exports)


def compare_decorators(pairs: int) -> None:
    """Say what a decorated function costs while profiling is off."""

    def plain(number: int) -> int:
        return number

    def repeat(function: Callable[[int], int]) -> Case:
        def go() -> None:
            for number in range(SHORT_CALLS):
                function(number)

        return go

    decorated = do_cprofile("never.prof")(plain)
    print_head(f"a function that does nothing, {SHORT_CALLS:,} calls a turn", "plain")
    turns = take_turns(repeat(plain), repeat(decorated), pairs)
    print_case("decorated, switched off", turns)
    more = statistics.median(b.cpu - a.cpu for a, b in zip(turns.of_a, turns.of_b, strict=False)) / SHORT_CALLS
    print(f"    that is {more * 1e9:.0f} ns more a call")


def compare_requests(place: Path, pairs: int) -> None:
    """Measure requests that nobody profiles, before and after the first profile of the process, and profiled ones."""
    database = make_database(f"sqlite:///{place}/tasks.db")
    off, again = make_service(database), make_service(database)
    ready = make_service(database, profile_dir=place / "profiles", profile_key=KEY, profile_every={"POST /never": 1000})
    each = make_service(database, profile_dir=place / "each", profile_every={"GET /task/*": 100}, profile_way="ledger")
    added = AppTransport(off).call("POST", "/task/add", {"station_id": "S1", "task_name": "demo.work", "input": "{}"})
    target = int(added["task_id"])
    plain = repeat_request(off, target)
    print_head(f"a request of gm_async_task, {CALLS} calls a turn", "GM_PROFILE_DIR not set")
    print_case("the same in an app of its own", take_turns(plain, repeat_request(again, target), pairs))
    print_case("set, not asked", take_turns(plain, repeat_request(ready, target), pairs))
    few = max(3, pairs // 10)
    for way in WAYS:
        print_case(f"each profiled, {way}", take_turns(plain, repeat_request(ready, target, way), few))
    asked = repeat_request(ready, target)
    print_case("set, not asked, once one was", take_turns(asked, asked, pairs, prepare=have_listeners))
    listen_to_engines()
    print_case("each hundredth profiled, ledger", take_turns(plain, repeat_request(each, target), pairs))


def have_listeners(of_b: bool) -> None:
    """Have engines as they are once a request of the process was profiled, for A as they are before."""
    if of_b:
        listen_to_engines()
    else:
        event.remove(Engine, "before_cursor_execute", _before)
        event.remove(Engine, "after_cursor_execute", _after)


def repeat_request(app: Flask, task_id: int, way: str = "") -> Case:
    """Return a turn of requests."""
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


def compare_exports(place: Path, exports: int) -> None:
    """Measure the export in each way."""
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

    print_head("an export of 41,074 lines", "not profiled")
    for way in WAYS:
        print_case(way, take_turns(export(""), export(way), exports))


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of one turn."""

    cpu: float
    wall: float


@dataclass(frozen=True, slots=True)
class Turns:
    """A B A B ... A: one more of A than of B."""

    of_a: list[Spent]
    of_b: list[Spent]

    def ratios(self, clock: str) -> list[float]:
        """Return each B to the mean of the A before and after it."""
        before, after = self._around(self.of_a, clock)
        return [getattr(b, clock) * 2 / (x + y) for b, x, y in zip(self.of_b, before, after, strict=True)]

    def noise(self, clock: str) -> list[float]:
        """Return each A but the outer ones to the mean of the A before and after it."""
        before, after = self._around(self.of_a, clock)
        inner = before[1:]
        return [a * 2 / (x + y) for a, x, y in zip(inner, before[:-1], after[1:], strict=True)]

    @staticmethod
    def _around(turns: list[Spent], clock: str) -> tuple[list[float], list[float]]:
        seconds = [getattr(turn, clock) for turn in turns]
        return seconds[:-1], seconds[1:]


def take_turns(a: Case, b: Case, pairs: int, prepare: Callable[[bool], object] = bool) -> Turns:
    """Run A and B by turns, `prepare` before each but not in its time; a first pair warms up and is left out."""
    a()
    b()
    gc.collect()
    gc.freeze()  # what is there by now needs not be looked at before each turn
    turns = Turns([], [])
    for turn in range(2 * pairs + 1):
        is_b = turn % 2 == 1
        prepare(is_b)
        (turns.of_b if is_b else turns.of_a).append(spend(b if is_b else a))
    return turns


def spend(case: Case) -> Spent:
    """Run one turn; what the one before left to the collector is not its own."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    case()
    return Spent(time.process_time() - cpu, time.perf_counter() - wall)


def print_head(title: str, of_a: str) -> None:
    """Print what is compared."""
    load = Path("/proc/loadavg").read_text().split()[0]
    print(f"  {title}; A: {of_a}; load {load}", flush=True)


def print_case(name: str, turns: Turns) -> None:
    """Print the ratios of one case, and of A to itself beside it."""
    a, b = (statistics.median(turn.cpu for turn in of) * 1e3 for of in (turns.of_a, turns.of_b))
    cpu, wall = (f"{show(turns.ratios(clock))}, A to A {show(turns.noise(clock))}" for clock in ("cpu", "wall"))
    print(f"    {name:34} A {a:.2f} ms, B {b:.2f} ms; CPU {cpu}; clock {wall}", flush=True)


def show(ratios: list[float]) -> str:
    """Return the median and its 95 % interval."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(1000))
    return f"{statistics.median(ratios):.3f} ({medians[25]:.3f} to {medians[975]:.3f})"


if __name__ == "__main__":
    main()
