"""Shapes of statements: values fold, names stay, by the database's own rules of quoting."""

from __future__ import annotations

import pytest

from shared.profiling.shapes import fold


@pytest.mark.parametrize(
    ("statement", "shape"),
    [
        ("SELECT a FROM t WHERE b = 'it''s' AND c = 12.5", "SELECT a FROM t WHERE b = ? AND c = ?"),
        ("SELECT  a\n FROM t\nLIMIT 10", "SELECT a FROM t LIMIT ?"),
        ("SELECT order2.a4 FROM order2", "SELECT order2.a4 FROM order2"),
        (
            "SELECT a FROM t WHERE b = 1e5 OR b = 2.5E-3 OR b = .5 OR b = -7",
            "SELECT a FROM t WHERE b = ? OR b = ? OR b = ? OR b = ?",
        ),
        ("SELECT a FROM t WHERE b = 0xFF AND c = x'AB'", "SELECT a FROM t WHERE b = ? AND c = ?"),
        ("SELECT a - 5, a -5, -5 FROM t", "SELECT a - ?, a -?, ? FROM t"),
        ("SELECT a FROM t -- 'secret'\n WHERE b = 1 /* 2 */", "SELECT a FROM t WHERE b = ?"),
        ("INSERT INTO t (a, b) VALUES (?, ?), (?, ?)", "INSERT INTO t (a, b) VALUES (?)"),
        ("INSERT INTO t VALUES (1, NULL, 'x')", "INSERT INTO t VALUES (?)"),
        ("INSERT INTO t VALUES (a(?), b), (a(?), b)", "INSERT INTO t VALUES (a(?), b)"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite", "mariadb"])
def test_values_and_white_space_are_folded_and_names_are_not(statement: str, shape: str, database: str) -> None:
    assert fold(statement, database) == shape


@pytest.mark.parametrize(
    ("statement", "shape"),
    [
        ('SELECT a FROM t WHERE b = "bob"', "SELECT a FROM t WHERE b = ?"),
        (r"SELECT a FROM t WHERE b = 'it\'s' AND c = 1", "SELECT a FROM t WHERE b = ? AND c = ?"),
        (r"SELECT a FROM t WHERE b = 'c:\\' AND c = 'x'", "SELECT a FROM t WHERE b = ? AND c = ?"),
        ("SELECT `a  1` FROM t WHERE b = _utf8mb4'x' AND c = N'y'", "SELECT `a  1` FROM t WHERE b = ? AND c = ?"),
        ("SELECT a FROM t WHERE b = %(b)s AND c = %s # 'secret'", "SELECT a FROM t WHERE b = ? AND c = ?"),
        ("SELECT a FROM t WHERE b = 'never closed", "SELECT a FROM t WHERE b = ?"),
        (
            "INSERT INTO t (a) VALUES (%s), (%s) ON DUPLICATE KEY UPDATE a = VALUES(a), b = VALUES(b)",
            "INSERT INTO t (a) VALUES (?) ON DUPLICATE KEY UPDATE a = VALUES(a), b = VALUES(b)",
        ),
    ],
)
def test_mariadb_has_strings_in_double_quotes_and_signs_behind_backslashes(statement: str, shape: str) -> None:
    assert fold(statement, "mariadb") == shape


@pytest.mark.parametrize(
    ("statement", "shape"),
    [
        ('SELECT "a  1", [b 2] FROM "order" WHERE "bob" = :b', 'SELECT "a  1", [b 2] FROM "order" WHERE "bob" = ?'),
        (r"SELECT a FROM t WHERE b = 'c:\' AND c = 'x'", "SELECT a FROM t WHERE b = ? AND c = ?"),
        ("SELECT a FROM t WHERE b = ?1 AND c = @c AND d = $d", "SELECT a FROM t WHERE b = ? AND c = ? AND d = ?"),
        ("SELECT a %s FROM t", "SELECT a %s FROM t"),
    ],
)
def test_sqlite_has_names_in_double_quotes_and_backslashes_that_mean_nothing(statement: str, shape: str) -> None:
    assert fold(statement, "sqlite") == shape


@pytest.mark.parametrize("values", ["1", "1, 2", "1,-2 , 0x3, 4e0", "'a', NULL, 'b,c'", "?", "?, ?, ?"])
def test_lists_of_any_length_are_one_shape(values: str) -> None:
    assert fold(f"SELECT a FROM t WHERE b IN ({values}) AND c = 1") == "SELECT a FROM t WHERE b IN (?) AND c = ?"


@pytest.mark.parametrize("pairs", ["(1, 2)", "(?, ?), (?, ?)", "('a', 1), ('b', 2), ('c', 3)"])
def test_lists_of_pairs_are_one_shape(pairs: str) -> None:
    assert fold(f"SELECT a FROM t WHERE (b, c) IN ({pairs})") == "SELECT a FROM t WHERE (b, c) IN ((?))"


def test_lists_of_parameters_of_any_length_are_one_shape_on_mariadb() -> None:
    shapes = {fold(f"SELECT a FROM t WHERE b IN ({', '.join(['%(b_1)s'] * many)})", "mysql") for many in (1, 2, 50)}

    assert shapes == {"SELECT a FROM t WHERE b IN (?)"}
