"""Which index a full scan lacks, as a table."""

from __future__ import annotations

import pytest

from shared.profiling.wanted_index import wanted_index

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


@pytest.mark.parametrize(
    ("statement", "scanned", "columns"),
    [
        ("SELECT id FROM orders WHERE d >= ? ORDER BY d, e LIMIT ?", "orders", "d e"),
        ("SELECT id FROM orders WHERE d >= ? ORDER BY e LIMIT ?", "orders", "d"),
        ("SELECT id FROM orders WHERE d >= ? AND a = ? ORDER BY e", "orders", "a d"),
        ("SELECT id FROM orders WHERE a IN (?) AND b = ? ORDER BY d LIMIT ?", "orders", "b a"),
        ("SELECT id FROM orders AS o, lines AS l WHERE l.order_id = o.id AND l.sku = ?", "l", "sku"),
        (
            "SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM lines l WHERE l.order_id = o.id AND l.s = ?)",
            "l",
            "order_id s",
        ),
        ("SELECT id FROM orders JOIN lines USING (order_id)", "lines", "order_id"),
        ("SELECT max(d) FROM orders WHERE a = ?", "orders", "a d"),
        ("REPLACE INTO copies SELECT * FROM orders WHERE a = ?", "orders", "a"),
        ("WITH some AS (SELECT * FROM orders WHERE a = ?) SELECT * FROM some, lines", "orders", "a"),
        ("SELECT id FROM orders WHERE ? < d AND ? = a", "orders", "a d"),
    ],
)
def test_order_joins_and_subqueries_are_read_as_a_database_would(statement: str, scanned: str, columns: str) -> None:
    wanted = wanted_index(statement, scanned, "mariadb")

    assert wanted is not None
    assert list(wanted.columns) == columns.split()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM orders WHERE a = b",
        "SELECT id FROM orders o WHERE o.a > o.b + ? AND o.a = o.c",
        "SELECT id FROM orders WHERE a BETWEEN b AND c",
        "SELECT id FROM orders WHERE a IN (b, ?)",
        "SELECT id FROM orders WHERE a IS NOT NULL AND b IS TRUE",
        "SELECT id FROM orders ORDER BY a",
        "SELECT id FROM orders ORDER BY lower(a) LIMIT ?",
        "SELECT id FROM orders ORDER BY a NULLS LAST LIMIT ?",
        "SELECT a, count(*) FROM orders GROUP BY a ORDER BY a LIMIT ?",
        "SELECT id FROM orders o WHERE o.a = (SELECT max(i.a) FROM orders i WHERE i.b = o.b)",
    ],
)
def test_columns_of_one_row_against_another_and_orders_of_everything_ask_for_none(statement: str) -> None:
    table = "o" if " o " in statement else "orders"

    assert wanted_index(statement, table, "sqlite") is None


FACTS = {
    "name": "orders",
    "columns": {"id": "integer", "a": "int", "b": "int", "name": "varchar(300)"},
    "row_key": ["id"],
    "indexes": [
        {"name": "PRIMARY", "parts": [["id", "", False]]},
        {"name": "ix_orders_b", "parts": [["b", "", False], ["a", "", False]]},
        {"name": "ix_orders_a", "parts": [["name", "", False], ["a", "", True], ["b", "", False]]},
    ],
}


@pytest.mark.parametrize(
    "condition",
    [
        "WHERE id = ?",
        "ORDER BY id DESC LIMIT ?",
        "WHERE b > ?",
        "WHERE a = ? AND b = ?",
        "WHERE b = ? ORDER BY a LIMIT ?",
        "WHERE name = ? ORDER BY a DESC, b LIMIT ?",
        "WHERE name = ? ORDER BY a, b DESC LIMIT ?",
        'WHERE "B" = ?',
        "WHERE unknown = ?",
    ],
)
def test_what_an_index_serves_that_is_there_is_not_wanted(condition: str) -> None:
    assert wanted_index(f"SELECT id FROM orders {condition}", "orders", "sqlite", FACTS) is None


@pytest.mark.parametrize(
    ("condition", "made"),
    [
        ("WHERE a = ?", "CREATE INDEX ix_orders_a_2 ON orders (a)"),
        ("WHERE a = ? ORDER BY id LIMIT ?", "CREATE INDEX ix_orders_a_2 ON orders (a)"),
        ("WHERE a > ? AND b = ?", None),
        ("WHERE name = ? ORDER BY a LIMIT ?", None),
        ("WHERE name = ? AND b = ?", "CREATE INDEX ix_orders_b_name ON orders (b, name(64))"),
        ("WHERE b = ? UNION SELECT id FROM orders WHERE a = ?", "CREATE INDEX ix_orders_a_2 ON orders (a)"),
        ("ORDER BY b, a DESC LIMIT ?", "CREATE INDEX ix_orders_b_a ON orders (b, a DESC)"),
    ],
)
def test_an_index_that_is_wanted_gets_a_name_of_its_own(condition: str, made: str | None) -> None:
    wanted = wanted_index(f"SELECT id FROM orders {condition}", "orders", "mariadb", FACTS)

    assert (wanted.statement() if wanted else None) == made
