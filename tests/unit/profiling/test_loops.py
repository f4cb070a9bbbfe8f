"""Which repeated statements are a loop, and which go through something page by page."""

from __future__ import annotations

from typing import Any

import pytest

from shared.profiling.findings import find_loops
from shared.profiling.ledger import Ledger

LINES = "SELECT sku FROM order_lines WHERE order_id = ?"
PAGE = "SELECT id FROM orders WHERE id > ? ORDER BY id LIMIT ?"
BATCH = "SELECT sku FROM order_lines WHERE order_id IN (?)"


def make_record(shape: str, count: int, rows_each: int) -> dict[str, Any]:
    ledger = Ledger()
    for _ in range(count):
        ledger.add(shape, 0.001, rows_each, "shop/orders.py:12", "sqlite")
    return {"ledger": ledger.to_json()}


@pytest.mark.parametrize(
    ("shape", "count", "rows_each"),
    [(LINES, 20, 1), (LINES, 20, 100), (LINES, 500, 5000), (PAGE, 20, 99), (PAGE, 200, 999), (BATCH, 20, 5)],
)
def test_the_same_question_again_and_again_is_a_loop_however_many_rows_answer_it(
    shape: str, count: int, rows_each: int
) -> None:
    [finding] = find_loops([make_record(shape, count, rows_each)])

    assert finding.told.startswith(f"{count} times the same SELECT from shop/orders.py:12: a query in a loop")


@pytest.mark.parametrize(
    ("shape", "count", "rows_each"),
    [(LINES, 19, 500), (PAGE, 199, 100), (PAGE, 5000, 1000), (BATCH, 100, 400), ("PRAGMA synchronous=FULL", 500, 0)],
)
def test_pages_and_batches_of_many_rows_are_none(shape: str, count: int, rows_each: int) -> None:
    assert find_loops([make_record(shape, count, rows_each)]) == []


def test_lists_of_other_lengths_are_the_same_question() -> None:
    ledger = Ledger()
    for many in range(1, 31):
        names = ", ".join(f"'n{number}'" for number in range(many))
        ledger.add(f"SELECT id FROM orders WHERE name IN ({names})", 0.001, 1, "shop/orders.py:12", "mariadb")

    [finding] = find_loops([{"ledger": ledger.to_json()}])

    assert finding.told.startswith("30 times the same SELECT")
