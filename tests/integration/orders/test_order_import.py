"""Runs of an import: every row once, each with its verdict, whoever asks how often."""

from __future__ import annotations

import threading
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from gm_service.orders.imports import catalogue
from gm_service.orders.imports.catalogue import Entry, Kind
from gm_service.orders.imports.creating import create_orders
from gm_service.orders.imports.ledger import Counts
from gm_service.orders.models import order_line, orders
from shared.database import in_read, in_write
from shared.errors import RuleRefused, StaleRun
from tests.support.order_rows import (
    OTHER_STATION,
    STATION,
    insert,
    keep_import,
    make_order,
    make_row,
    make_run,
    order_numbers,
    outcomes_of,
    states_of,
)


def test_bad_rows_fail_and_the_others_are_created(orders_engine: Engine, zone: ZoneInfo) -> None:
    import_id = keep_import(
        orders_engine, make_row(order_no="A"), make_row(order_no="B", quantity=-1), 5, make_row(order_no="C")
    )

    counts = create_orders(orders_engine, make_run(import_id), zone).counts

    assert (counts.created, counts.failed, counts.waiting) == (2, 2, 0)
    assert states_of(orders_engine, import_id) == ["created", "not_positive", "not_an_object", "created"]
    assert order_numbers(orders_engine) == ["A", "C"]
    first, second, *_ = outcomes_of(orders_engine, import_id)
    assert first.order_id and first.reason is None and first.attempt == 1
    assert (second.order_id, second.column, second.value, second.attempt) == (None, "quantity", "-1", 1)
    assert second.reason and second.reason_zh


def test_order_keeps_where_it_came_from_and_its_lines(orders_engine: Engine, zone: ZoneInfo) -> None:
    lines = [{"sku": "X", "quantity": 2, "unit_price": "1.255"}, {"sku": "Y", "quantity": 1, "unit_price": 1}]
    import_id = keep_import(orders_engine, {"order_no": "A", "order_time": "2010-12-01", "lines": lines})

    create_orders(orders_engine, make_run(import_id), zone)

    (order,) = in_read(orders_engine, lambda c: c.execute(select(orders)).all())
    stored = in_read(orders_engine, lambda c: c.execute(select(order_line).order_by("line_no")).all())
    (outcome,) = outcomes_of(orders_engine, import_id)
    assert (order.id, order.task_id, order.row_index, order.line_count) == (outcome.order_id, 7, 0, 2)
    assert [(line.line_no, line.sku_code, str(line.amount)) for line in stored] == [(1, "X", "2.51"), (2, "Y", "1.00")]
    assert str(order.amount) == "3.51"


def test_rows_are_attempted_in_their_order_some_at_a_time(orders_engine: Engine, zone: ZoneInfo) -> None:
    import_id = keep_import(orders_engine, *(make_row(order_no=f"A-{index}") for index in range(7)))

    counts = [create_orders(orders_engine, make_run(import_id, limit=3), zone).counts for _ in range(4)]

    assert [each.created for each in counts] == [3, 6, 7, 7]
    assert counts[-1] == Counts(7, 7, 0)
    assert order_numbers(orders_engine) == [f"A-{index}" for index in range(7)]


def test_big_orders_are_attempted_fewer_at_a_time(orders_engine: Engine, zone: ZoneInfo) -> None:
    lines = [{"sku": "85123A", "quantity": 1, "unit_price": 1}] * 1000
    header = {"order_time": "2010-12-01 08:26:00"}
    big = [{"order_no": f"B-{index}", **header, "lines": lines} for index in range(20)]
    import_id = keep_import(orders_engine, *big)

    counts = [create_orders(orders_engine, make_run(import_id), zone).counts.created for _ in range(3)]

    assert 1 <= counts[0] < 10
    assert counts == sorted(counts)
    assert counts[-1] == 20


def test_later_run_goes_on_behind_what_an_earlier_one_did(orders_engine: Engine, zone: ZoneInfo) -> None:
    import_id = keep_import(orders_engine, *(make_row(order_no=f"A-{index}") for index in range(6)))
    create_orders(orders_engine, make_run(import_id, limit=4), zone)

    create_orders(orders_engine, make_run(import_id, run_count=2), zone)

    assert order_numbers(orders_engine) == [f"A-{index}" for index in range(6)]
    assert {outcome.attempt for outcome in outcomes_of(orders_engine, import_id)} == {1}


def test_duplicate_within_an_import_names_the_other_order(orders_engine: Engine, zone: ZoneInfo) -> None:
    import_id = keep_import(orders_engine, *(make_row(order_no=number) for number in "BAAA"))

    create_orders(orders_engine, make_run(import_id, limit=3), zone)
    create_orders(orders_engine, make_run(import_id, limit=3), zone)

    outcomes = outcomes_of(orders_engine, import_id)
    assert states_of(orders_engine, import_id) == ["created", "created", "duplicate_in_batch", "duplicate_in_batch"]
    assert {outcome.reason for outcome in outcomes[2:]} == {
        "Order number A stands in this import already, as its order 2"
    }
    assert {outcome.reason_zh for outcome in outcomes[2:]} == {"“订单号”A 在本次导入中已出现（第 2 个订单）"}


def test_existing_order_number_fails_in_its_station_only(orders_engine: Engine, zone: ZoneInfo) -> None:
    insert(orders_engine, make_order("A"))
    here = keep_import(orders_engine, make_row(order_no="A"), make_row(order_no="a"))
    there = keep_import(orders_engine, make_row(order_no="A"), task_id=8, station_id=OTHER_STATION)

    create_orders(orders_engine, make_run(here), zone)
    create_orders(orders_engine, make_run(there, task_id=8, station_id=OTHER_STATION), zone)

    assert states_of(orders_engine, here) == ["duplicate_order_no", "created"]
    assert states_of(orders_engine, there) == ["created"]


def test_number_of_a_failed_row_is_free_for_a_later_one(orders_engine: Engine, zone: ZoneInfo) -> None:
    import_id = keep_import(orders_engine, make_row(quantity=0), make_row())

    create_orders(orders_engine, make_run(import_id), zone)

    assert states_of(orders_engine, import_id) == ["not_positive", "created"]


def keep_lists(engine: Engine) -> None:
    goods, buyers = [Entry("85123A", "White lantern", "pcs")], [Entry("17850", "Ann's shop")]
    in_write(engine, lambda c: catalogue.put_entries(c, STATION, Kind.SKU, goods))
    in_write(engine, lambda c: catalogue.put_entries(c, STATION, Kind.BUYER, buyers))


def test_codes_are_held_against_the_lists_that_a_station_keeps(orders_engine: Engine, zone: ZoneInfo) -> None:
    keep_lists(orders_engine)
    lines = [{"sku": "85123A", "quantity": 1, "unit_price": 1}, {"sku": "NEW", "quantity": 1, "unit_price": 1}]
    in_lines = {"order_no": "D", "order_time": "2010-12-01", "buyer_code": "17850", "lines": lines}
    import_id = keep_import(
        orders_engine,
        make_row(order_no="A", buyer_code="17850"),
        make_row(order_no="B"),
        make_row(order_no="C", buyer_code="1"),
        in_lines,
        make_row(order_no="E", buyer_code="17850", sku="85123a"),
    )

    create_orders(orders_engine, make_run(import_id), zone)

    assert states_of(orders_engine, import_id) == ["created", "missing", "unknown_buyer", "unknown_sku", "unknown_sku"]
    columns = [outcome.column for outcome in outcomes_of(orders_engine, import_id)]
    assert columns == [None, "buyer_code", "buyer_code", "lines[1].sku", "sku"]


def test_names_that_a_row_leaves_out_are_the_lists(orders_engine: Engine, zone: ZoneInfo) -> None:
    keep_lists(orders_engine)
    import_id = keep_import(orders_engine, make_row(buyer_code="17850", sku_name=..., unit=...))

    create_orders(orders_engine, make_run(import_id), zone)

    (order,) = in_read(orders_engine, lambda c: c.execute(select(orders)).all())
    (line,) = in_read(orders_engine, lambda c: c.execute(select(order_line)).all())
    assert (order.buyer_name, line.sku_name, line.unit) == ("Ann's shop", "White lantern", "pcs")


def test_stale_run_is_refused_and_changes_nothing(orders_engine: Engine, zone: ZoneInfo) -> None:
    import_id = keep_import(orders_engine, make_row(order_no="A"), make_row(order_no="B"))
    create_orders(orders_engine, make_run(import_id, run_count=2, limit=1), zone)

    with pytest.raises(StaleRun):
        create_orders(orders_engine, make_run(import_id, run_count=1), zone)

    assert order_numbers(orders_engine) == ["A"]


@pytest.mark.parametrize("changes", [{"station_id": OTHER_STATION}, {"task_id": 8}, {"import_id": 999}])
def test_import_of_another_task_is_refused(orders_engine: Engine, zone: ZoneInfo, changes: dict[str, Any]) -> None:
    import_id = keep_import(orders_engine, make_row(order_no="A"))

    with pytest.raises(RuleRefused):
        create_orders(orders_engine, make_run(**{"import_id": import_id, "run_count": 3, **changes}), zone)

    assert order_numbers(orders_engine) == order_numbers(orders_engine, OTHER_STATION) == []
    create_orders(orders_engine, make_run(import_id), zone)


def test_runs_at_the_same_moment_create_each_order_once(orders_engine: Engine, zone: ZoneInfo) -> None:
    import_id = keep_import(orders_engine, *(make_row(order_no=f"A-{index}") for index in range(20)))
    answers: list[Counts] = []

    run_at_once(
        [lambda: answers.append(create_orders(orders_engine, make_run(import_id, limit=5), zone)) for _ in range(8)]
    )

    assert len(answers) == 8
    assert sorted(order_numbers(orders_engine)) == sorted(f"A-{index}" for index in range(20))


def test_imports_racing_for_the_same_numbers_share_them_out(orders_engine: Engine, zone: ZoneInfo) -> None:
    some = [make_row(order_no=f"A-{index}") for index in range(20)]
    imports = {
        task_id: keep_import(orders_engine, *(some if task_id % 2 else some[::-1]), task_id=task_id)
        for task_id in range(1, 7)
    }

    run_at_once(
        [
            lambda task_id=task_id, import_id=import_id: create_orders(
                orders_engine, make_run(import_id, task_id=task_id), zone
            )
            for task_id, import_id in imports.items()
        ]
    )

    states = [state for import_id in imports.values() for state in states_of(orders_engine, import_id)]
    assert (states.count("created"), states.count("waiting"), len(order_numbers(orders_engine))) == (20, 0, 20)


def run_at_once(calls: list[Any]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
