"""What the pre-flight says of a batch is what its run does, on the real data's dirty rows and on dirtier ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from gm_service.demo.load import demo_batch
from gm_service.orders.imports import catalogue
from gm_service.orders.imports.catalogue import Entry, Kind
from gm_service.orders.imports.commands import CreateOrders
from shared.database import in_write
from tests.support.imports import Imports
from tests.support.order_rows import STATION, insert, make_order, order_numbers, outcomes_of

REAL = demo_batch(600, prefix="R")
KEYS = itertools.count()


def _drop_buyer(row: dict[str, Any]) -> None:
    row["buyer_code"] = ""


def _free_of_charge(row: dict[str, Any]) -> None:
    row["lines"][0]["unit_price"] = 0


def _returned(row: dict[str, Any]) -> None:
    row["lines"][-1]["quantity"] = -row["lines"][-1]["quantity"]


def _cancelled(row: dict[str, Any]) -> None:
    row["order_no"] = "C" + row["order_no"]
    for line in row["lines"]:
        line["quantity"] = -abs(line["quantity"])


def _unknown_goods(row: dict[str, Any]) -> None:
    row["lines"][0]["sku"] = "NOBODY HAS THIS"


def _no_lines(row: dict[str, Any]) -> None:
    row["lines"] = []


def _no_time(row: dict[str, Any]) -> None:
    row["order_time"] = "2010-13-01"


def _taken(row: dict[str, Any]) -> None:
    row["order_no"] = "TAKEN"


def _as_another(row: dict[str, Any]) -> None:
    row["order_no"] = "TWICE"


def _formula(row: dict[str, Any]) -> None:
    row["remark"] = "=HYPERLINK(1)"


FAULTS: list[Callable[[dict[str, Any]], None]] = [
    _drop_buyer,
    _free_of_charge,
    _returned,
    _cancelled,
    _unknown_goods,
    _no_lines,
    _no_time,
    _taken,
    _as_another,
    _formula,
]


@pytest.fixture
def imports(orders_engine: Engine) -> Imports:
    """A station with an order of its own, and lists of most of what the real data names."""
    insert(orders_engine, make_order("TAKEN"))
    goods = [Entry(code, code) for code in sorted({line["sku"] for row in REAL for line in row["lines"]})[3:]]
    buyers = [Entry(code, code) for code in sorted({row["buyer_code"] for row in REAL})[3:]]
    in_write(orders_engine, lambda c: catalogue.put_entries(c, STATION, Kind.SKU, goods))
    in_write(orders_engine, lambda c: catalogue.put_entries(c, STATION, Kind.BUYER, buyers))
    return Imports(orders_engine)


@st.composite
def batches(draw: st.DrawFn) -> list[Any]:
    """Some real orders under fresh numbers, many of them spoilt."""
    turn = next(KEYS)
    rows = []
    for place, chosen in enumerate(draw(st.lists(st.integers(0, len(REAL) - 1), min_size=1, max_size=25))):
        row = {**REAL[chosen], "lines": [dict(line) for line in REAL[chosen]["lines"][:4]]}
        row["order_no"] = f"{row['order_no']}-{turn}-{place}"
        for fault in draw(st.lists(st.sampled_from(FAULTS), max_size=2)):
            if row["lines"] or fault in (_drop_buyer, _taken, _as_another):
                fault(row)
        rows.append(draw(st.sampled_from([row] * 12 + [None, 5])))
    return rows


def run_in_parts(imports: Imports, task_id: int, sizes: Iterator[int]) -> None:
    run = imports.tasks.start(task_id)
    key = {"import_id": imports.import_id(task_id), "task_id": task_id, "run_count": run.run_count}
    while imports.runs.create_orders(CreateOrders(**key, station_id=STATION, limit=next(sizes))).waiting:
        pass


def check_then_run(imports: Imports, orders: list[Any], sizes: Iterator[int]) -> None:
    before = order_numbers(imports.engine)
    checked = imports.check(orders)
    assert order_numbers(imports.engine) == before

    task_id = imports.submit(orders, key=f"key-{next(KEYS)}")
    run_in_parts(imports, task_id, sizes)

    done = outcomes_of(imports.engine, imports.import_id(task_id))
    told = [(row.index, row.code, row.column, row.value, row.reason, row.reason_zh) for row in checked.failed]
    failed = [(row.index, row.code, row.column, row.value, row.reason, row.reason_zh) for row in done if row.code]
    assert told == failed
    assert checked.counts.created == len(done) - len(failed) == len(order_numbers(imports.engine)) - len(before)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(orders=batches(), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_spoilt_orders_fail_in_the_run_as_they_were_told(imports: Imports, orders: list[Any], sizes: list[int]) -> None:
    check_then_run(imports, orders, itertools.cycle(sizes))


def test_real_orders_fail_in_the_run_as_they_were_told(imports: Imports) -> None:
    check_then_run(imports, [*REAL, *REAL[:50]], itertools.repeat(97))

    (import_id,) = {imports.import_id(task.task_id) for task in imports.tasks.list(STATION)}
    codes = {row.code for row in outcomes_of(imports.engine, import_id)}
    assert {"not_positive", "missing", "duplicate_in_batch", "unknown_sku", "unknown_buyer"} <= codes
