"""Chunks of an import: every row once, each with its verdict, whoever sends it how often."""

from __future__ import annotations

import json
import threading
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from gm_service.orders.imports.creating import create_orders
from gm_service.orders.imports.ledger import RowOutcome
from gm_service.orders.imports.models import RowState, import_row
from gm_service.orders.models import order_line, orders
from shared.database import in_read
from shared.errors import RuleRefused, StaleRun
from tests.support.order_rows import OTHER_STATION, insert, make_chunk, make_order, make_row, order_numbers


def states(outcomes: list[RowOutcome]) -> list[str]:
    return [outcome.code or outcome.state.name.lower() for outcome in outcomes]


def test_bad_rows_fail_and_the_others_are_created(orders_engine: Engine, zone: ZoneInfo) -> None:
    chunk = make_chunk(make_row(order_no="A"), make_row(order_no="B", quantity=-1), 5, make_row(order_no="C"))

    outcomes = create_orders(orders_engine, chunk, zone)

    assert states(outcomes) == ["created", "not_positive", "not_an_object", "created"]
    assert order_numbers(orders_engine) == ["A", "C"]
    assert outcomes[0].order_id and outcomes[0].reason is None
    assert outcomes[1].order_id is None and outcomes[1].column == "quantity" and outcomes[1].value == "-1"


def test_order_keeps_where_it_came_from_and_its_lines(orders_engine: Engine, zone: ZoneInfo) -> None:
    lines = [{"sku": "X", "quantity": 2, "unit_price": "1.255"}, {"sku": "Y", "quantity": 1, "unit_price": 1}]
    row = {"order_no": "A", "order_time": "2010-12-01", "lines": lines}

    (outcome,) = create_orders(orders_engine, make_chunk(row), zone)

    (order,) = in_read(orders_engine, lambda c: c.execute(select(orders)).all())
    stored = in_read(orders_engine, lambda c: c.execute(select(order_line).order_by("line_no")).all())
    assert (order.id, order.task_id, order.row_index, order.line_count) == (outcome.order_id, 7, 0, 2)
    assert [(line.line_no, line.sku_code, str(line.amount)) for line in stored] == [(1, "X", "2.51"), (2, "Y", "1.00")]
    assert str(order.amount) == "3.51"


def test_ledger_keeps_each_row_as_it_was_submitted(orders_engine: Engine, zone: ZoneInfo) -> None:
    rows = [make_row(order_no="A"), make_row(order_no="B", quantity="无")]

    create_orders(orders_engine, make_chunk(*rows), zone)

    kept = in_read(orders_engine, lambda c: c.execute(select(import_row).order_by("row_index")).all())
    assert [json.loads(row.original) for row in kept] == rows
    assert [(row.state, row.attempt) for row in kept] == [(RowState.CREATED, 1), (RowState.FAILED, 1)]
    assert "无" in kept[1].reason and "无" in kept[1].reason_zh


def test_chunk_sent_again_is_answered_as_recorded(orders_engine: Engine, zone: ZoneInfo) -> None:
    chunk = make_chunk(make_row(order_no="A"), make_row(order_no="A"), make_row(order_no="B", sku=""))

    first = create_orders(orders_engine, chunk, zone)
    second = create_orders(orders_engine, chunk, zone)

    assert first == second
    assert states(first) == ["created", "duplicate_in_batch", "missing"]
    assert order_numbers(orders_engine) == ["A"]


def test_rerun_with_other_chunk_borders_creates_only_what_is_missing(orders_engine: Engine, zone: ZoneInfo) -> None:
    rows = [make_row(order_no=f"A-{index}") for index in range(6)]
    create_orders(orders_engine, make_chunk(*rows[:4]), zone)

    outcomes = create_orders(orders_engine, make_chunk(*rows, run_count=2), zone)

    assert states(outcomes) == ["created"] * 6
    assert order_numbers(orders_engine) == [f"A-{index}" for index in range(6)]


def test_answers_stand_in_the_order_asked(orders_engine: Engine, zone: ZoneInfo) -> None:
    rows = [{"index": index, "order": make_row(order_no="same")} for index in (9, 3)]

    outcomes = create_orders(orders_engine, make_chunk(rows=rows), zone)

    assert [outcome.index for outcome in outcomes] == [9, 3]
    assert states(outcomes) == ["duplicate_in_batch", "created"]


def test_duplicate_within_an_import_names_the_other_order(orders_engine: Engine, zone: ZoneInfo) -> None:
    rows = [{"index": index, "order": make_row(order_no="A")} for index in (4, 7, 30)]
    first, second = make_chunk(rows=rows[:2]), make_chunk(rows=rows[2:])

    outcomes = [*create_orders(orders_engine, first, zone), *create_orders(orders_engine, second, zone)]

    assert states(outcomes) == ["created", "duplicate_in_batch", "duplicate_in_batch"]
    assert {outcome.reason for outcome in outcomes[1:]} == {"order_no A stands in this import already, as its order 5"}
    assert {outcome.reason_zh for outcome in outcomes[1:]} == {"order_no A 在本次导入中已出现（第 5 个订单）"}


def test_existing_order_number_fails_in_its_station_only(orders_engine: Engine, zone: ZoneInfo) -> None:
    insert(orders_engine, make_order("A"))
    chunk = make_chunk(make_row(order_no="A"), make_row(order_no="a"))

    here = create_orders(orders_engine, chunk, zone)
    there = create_orders(orders_engine, make_chunk(make_row(order_no="A"), task_id=8, station_id=OTHER_STATION), zone)

    assert states(here) == ["duplicate_order_no", "created"]
    assert states(there) == ["created"]


def test_number_of_a_failed_row_is_free_for_a_later_one(orders_engine: Engine, zone: ZoneInfo) -> None:
    outcomes = create_orders(orders_engine, make_chunk(make_row(quantity=0), make_row()), zone)

    assert states(outcomes) == ["not_positive", "created"]


def test_stale_run_is_refused_and_changes_nothing(orders_engine: Engine, zone: ZoneInfo) -> None:
    create_orders(orders_engine, make_chunk(make_row(order_no="A"), run_count=2), zone)

    with pytest.raises(StaleRun):
        create_orders(orders_engine, make_chunk(make_row(order_no="A"), make_row(order_no="B"), run_count=1), zone)

    assert order_numbers(orders_engine) == ["A"]


@pytest.mark.parametrize(
    "changes", [{"station_id": OTHER_STATION}, {"total": 99}, {"station_id": OTHER_STATION, "run_count": 1}]
)
def test_task_of_another_import_is_refused(orders_engine: Engine, zone: ZoneInfo, changes: dict[str, Any]) -> None:
    create_orders(orders_engine, make_chunk(make_row(order_no="A"), run_count=2), zone)

    with pytest.raises(RuleRefused):
        create_orders(orders_engine, make_chunk(make_row(order_no="B"), **{"run_count": 3, **changes}), zone)

    assert order_numbers(orders_engine, OTHER_STATION) == []
    create_orders(orders_engine, make_chunk(make_row(order_no="A"), run_count=2), zone)


def test_unknown_operating_cycle_is_refused(orders_engine: Engine, zone: ZoneInfo) -> None:
    with pytest.raises(RuleRefused):
        create_orders(orders_engine, make_chunk(make_row(), time_config_id="night"), zone)

    assert order_numbers(orders_engine) == []


def test_same_chunk_from_many_threads_creates_each_order_once(orders_engine: Engine, zone: ZoneInfo) -> None:
    rows = [make_row(order_no=f"A-{index}") for index in range(20)]
    answers: list[list[RowOutcome]] = []
    chunk = make_chunk(*rows)

    threads = [
        threading.Thread(target=lambda: answers.append(create_orders(orders_engine, chunk, zone))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert len(answers) == 8 and all(answer == answers[0] for answer in answers)
    assert sorted(order_numbers(orders_engine)) == sorted(row["order_no"] for row in rows)


def test_two_imports_racing_for_the_same_numbers_share_them_out(orders_engine: Engine, zone: ZoneInfo) -> None:
    rows = [make_row(order_no=f"A-{index}") for index in range(20)]
    answers: list[list[RowOutcome]] = []

    def send(task_id: int, some: list[dict[str, Any]]) -> None:
        answers.append(create_orders(orders_engine, make_chunk(*some, task_id=task_id), zone))

    threads = [
        threading.Thread(target=send, args=(task_id, rows if task_id % 2 else rows[::-1])) for task_id in range(1, 7)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    created = [outcome for answer in answers for outcome in answer if outcome.state is RowState.CREATED]
    assert len(answers) == 6 and len(created) == 20
    assert sorted(order_numbers(orders_engine)) == sorted(row["order_no"] for row in rows)
