"""Which index a full scan lacks, as a table."""

from __future__ import annotations

import pytest

from shared.profiling.indexes import wanted_index

JOIN = (
    "SELECT a.id FROM orders AS a JOIN lines AS b ON b.order_id = a.id WHERE a.station_id = ? AND a.d BETWEEN ? AND ?"
)


@pytest.mark.parametrize(
    ("statement", "scanned", "table", "columns"),
    [
        (
            "SELECT id FROM orders WHERE receive_date >= ? AND station_id = ?",
            "orders",
            "orders",
            "station_id receive_date",
        ),
        ("SELECT id FROM orders WHERE a > ? AND b < ?", "orders", "orders", "a"),
        ("SELECT id FROM orders WHERE a = ? ORDER BY d DESC LIMIT ?", "orders", "orders", "a d"),
        ("SELECT id FROM orders ORDER BY d LIMIT ?", "orders", "orders", "d"),
        ("UPDATE orders SET x=? WHERE (a = ? AND b IN (?)) AND (c = ? OR d = ?)", "orders", "orders", "a b"),
        ("DELETE FROM orders WHERE state < ?", "orders", "orders", "state"),
        (JOIN, "a", "orders", "station_id d"),
        (JOIN, "b", "lines", "order_id"),
        ("SELECT count(*) FROM (SELECT id FROM orders WHERE a = ?) AS anon", "orders", "orders", "a"),
        ("SELECT `orders`.`id` FROM `orders` WHERE `orders`.`a` = ?", "orders", "orders", "a"),
    ],
)
def test_equality_comes_first_then_one_range_then_order(statement: str, scanned: str, table: str, columns: str) -> None:
    wanted = wanted_index(statement, scanned, "mysql")

    assert wanted is not None
    assert (wanted.table, list(wanted.columns)) == (table, columns.split())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM orders",
        "SELECT id FROM orders WHERE lower(name) = ?",
        "SELECT id FROM orders WHERE name LIKE ?",
        "SELECT id FROM orders WHERE a = ? OR b = ?",
        "SELECT id FROM orders WHERE a <> ?",
        "no statement ( at all",
        "SELECT id FROM elsewhere WHERE a = ?",
    ],
)
def test_nothing_is_advised_where_no_index_would_serve(statement: str) -> None:
    assert wanted_index(statement, "orders", "sqlite") is None
