"""What the report says of full scans, asked of real plans: an index that helps, or no more than that it is a scan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text, insert, text
from sqlalchemy.engine import Engine

from shared.database import make_engine
from shared.profiling.explanation import explain
from shared.profiling.findings import Step
from shared.profiling.session import Subject, watching
from shared.profiling.store import ProfileStore

ROWS = 3_000
metadata = MetaData()
orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("station", String(16), nullable=False),
    Column("day", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    Column("name", String(40), nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_orders_day", "day"),
    Index("ix_orders_name_day_station", "name", "day", "station"),
)
lines = Table(
    "order_lines",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", Integer, nullable=False),
    Column("sku", String(16), nullable=False),
)
reserved = Table("order", metadata, Column("id", Integer, primary_key=True), Column("group", Integer, nullable=False))


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One database for all tests, which leave it as it was."""
    is_file = request.param == "sqlite"
    file = tmp_path_factory.mktemp("advice") / "orders.db"
    made = make_engine(f"sqlite:///{file}" if is_file else request.getfixturevalue("mariadb_server").make_url())
    fill(made)
    yield made
    made.dispose()


def fill(engine: Engine) -> None:
    metadata.create_all(engine)
    numbers = range(ROWS)
    rows = [
        {"station": f"S{n % 50}", "day": n % 200, "state": n % 3, "name": f"n{n % 900}", "note": "x" * 40}
        for n in numbers
    ]
    with engine.begin() as connection:
        connection.execute(insert(orders), rows)
        connection.execute(insert(lines), [{"order_id": n, "sku": f"K{n % 700}"} for n in numbers])
        connection.execute(insert(reserved), [{"group": n % 900} for n in numbers])
        for table in metadata.sorted_tables:
            verb = "ANALYZE" if engine.dialect.name == "sqlite" else "ANALYZE TABLE"
            connection.execute(text(f"{verb} `{table.name}`"))


def scans_of(engine: Engine, folder: Path, statement: str) -> list[tuple[str, str]]:
    """Return what is told of the full scans of a statement, and the advice."""
    store = ProfileStore(folder / "profiles")
    with watching(Subject("task", "shop.work", "ledger", "r", 7, 1), store), engine.connect() as connection:
        is_sqlite = engine.dialect.name == "sqlite"
        connection.exec_driver_sql(statement if is_sqlite else statement.replace("%", "%%")).close()
        connection.rollback()
    return [(found.told, found.advice) for found in explain(store, "7").findings if found.step is Step.INDEX]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM orders ORDER BY id LIMIT 10",
        "SELECT * FROM orders ORDER BY id DESC LIMIT 2000",
        "SELECT id, day FROM orders ORDER BY day LIMIT 2000",
        "SELECT * FROM orders AS o ORDER BY o.day DESC, o.id DESC LIMIT 10",
        "SELECT * FROM orders LIMIT 2000",
        "SELECT count(*) FROM orders",
        "SELECT * FROM orders",
        "SELECT day, count(*) FROM orders GROUP BY day",
        "SELECT max(day) FROM orders",
    ],
)
def test_what_is_read_in_an_indexs_order_or_whole_by_intent_is_no_finding(
    engine: Engine, tmp_path: Path, statement: str
) -> None:
    assert scans_of(engine, tmp_path, statement) == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM orders WHERE station = name",
        "SELECT id FROM orders AS o WHERE o.station <> o.name AND o.day + 1 = o.state",
        "SELECT id FROM orders WHERE lower(station) = 'x'",
        "SELECT id FROM orders WHERE station = 'S1' OR state = 2",
        "SELECT id FROM orders WHERE note LIKE '%x'",
        "SELECT id FROM orders WHERE lower(station) = 'x' ORDER BY id LIMIT 10",
        "SELECT id FROM orders WHERE station LIKE 'T%' ORDER BY day LIMIT 10",
    ],
)
def test_where_no_index_is_sure_to_help_no_more_is_said_than_that_it_is_a_scan(
    engine: Engine, tmp_path: Path, statement: str
) -> None:
    found = scans_of(engine, tmp_path, statement)

    assert all(told.startswith("full scan of orders, ") and "no index serves" not in told for told, _ in found), found
    assert not any("CREATE" in advice for _, advice in found)
    # MariaDB takes the LIMIT into its estimate.
    assert len(found) == 1 or (engine.dialect.name != "sqlite" and "LIMIT" in statement)


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("SELECT note FROM orders WHERE day + 0 >= 3 AND state >= 2 AND station = 'S3'", "station, state"),
        ("SELECT note FROM orders WHERE station = 'S3' AND state = 1 ORDER BY name LIMIT 5000", "station, state, name"),
        ("SELECT note FROM orders WHERE station IN ('S3', 'S4') AND state = 1", "state, station"),
        ("SELECT note FROM orders WHERE station = 'S3' OR station = 'S4'", "station"),
        ("SELECT note FROM orders WHERE station = 'S3' ORDER BY id", "station"),
        ("SELECT note FROM orders ORDER BY state, name DESC LIMIT 5000", "state, name DESC"),
        ("SELECT note FROM orders WHERE STATION = 'S3'", "station"),
        ("UPDATE orders SET note = 'y' WHERE station = 'S3'", "station"),
        ("DELETE FROM orders WHERE station = 'S3'", "station"),
        ("INSERT INTO `order` (`group`) SELECT day FROM orders WHERE station = 'S3'", "station"),
        ("SELECT id FROM (SELECT * FROM orders WHERE station = 'S3') AS inner_orders WHERE note <> ''", "station"),
        ("SELECT max(state) FROM orders", "state"),
    ],
)
def test_the_index_has_what_is_equal_then_the_range_then_the_order(
    engine: Engine, tmp_path: Path, statement: str, columns: str
) -> None:
    [(told, advice)] = scans_of(engine, tmp_path, statement)

    assert f"no index serves ({columns.replace(' DESC', '')})" in told
    assert advice.endswith(f" ON orders ({columns});")


@pytest.mark.parametrize(
    ("statement", "advice"),
    [
        ("SELECT id FROM `order` WHERE `group` = 7", "CREATE INDEX ix_order_group ON {q}order{q} ({q}group{q});"),
        (
            "SELECT o.id FROM orders AS o LEFT JOIN order_lines AS l ON l.order_id = o.id WHERE o.id < 2000",
            "CREATE INDEX ix_order_lines_order_id ON order_lines (order_id);",
        ),
    ],
)
def test_the_statement_can_be_copied_and_ends_the_scan(
    engine: Engine, tmp_path: Path, statement: str, advice: str
) -> None:
    quoted = advice.format(q='"' if engine.dialect.name == "sqlite" else "`")

    found = [given for _, given in scans_of(engine, tmp_path / "before", statement)]
    with indexed(engine, quoted):
        after = scans_of(engine, tmp_path / "after", statement)

    assert found == [quoted]
    assert after == []


@contextmanager
def indexed(engine: Engine, statement: str) -> Iterator[None]:
    """Have an index for a while."""
    _, _, name, _, table, *_ = statement.split()
    is_sqlite = engine.dialect.name == "sqlite"
    with engine.begin() as connection:
        connection.exec_driver_sql(statement.rstrip(";"))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP INDEX {name}{'' if is_sqlite else f' ON {table}'}")


@pytest.mark.parametrize("condition", ["day = 3", "name = 'n1'", "day = 3 AND name = 'n1'", "name = 'n1' AND day > 3"])
def test_an_index_that_is_there_is_never_advised_nor_its_beginning(
    engine: Engine, tmp_path: Path, condition: str
) -> None:
    ignored = (
        "NOT INDEXED" if engine.dialect.name == "sqlite" else "IGNORE INDEX (ix_orders_day, ix_orders_name_day_station)"
    )

    [(told, advice)] = scans_of(engine, tmp_path, f"SELECT note FROM orders {ignored} WHERE {condition}")

    assert told.startswith("full scan of orders, ")
    assert "CREATE" not in advice


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("condition", ["station = 's1' COLLATE NOCASE", "station COLLATE NOCASE IN ('s1', 's2')"])
def test_a_condition_that_ignores_case_asks_for_an_index_that_does(
    engine: Engine, tmp_path: Path, condition: str
) -> None:
    statement = f"SELECT note FROM orders WHERE {condition}"

    [(_, advice)] = scans_of(engine, tmp_path / "before", statement)
    with indexed(engine, advice):
        after = scans_of(engine, tmp_path / "after", statement)

    assert advice == "CREATE INDEX ix_orders_station_nocase ON orders (station COLLATE NOCASE);"
    assert after == []


@pytest.mark.parametrize("engine", ["mariadb"], indirect=True)
def test_mariadb_is_advised_no_index_that_a_condition_of_another_collation_could_not_use(
    engine: Engine, tmp_path: Path
) -> None:
    [(told, advice)] = scans_of(
        engine, tmp_path, "SELECT note FROM orders WHERE station = 's1' COLLATE utf8mb4_unicode_ci"
    )

    assert "no index serves" not in told
    assert "CREATE" not in advice


@pytest.mark.parametrize("engine", ["mariadb"], indirect=True)
def test_of_a_text_mariadb_is_advised_an_index_by_its_beginning(engine: Engine, tmp_path: Path) -> None:
    statement = "SELECT id FROM orders WHERE note = 'y' AND station = 'S1' ORDER BY state"

    [(_, advice)] = scans_of(engine, tmp_path / "before", statement)
    with indexed(engine, advice):
        after = scans_of(engine, tmp_path / "after", statement)

    assert advice == "CREATE INDEX ix_orders_station_note ON orders (station, note(64));"
    assert after == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_index_that_sqlite_makes_for_one_statement_is_told(engine: Engine, tmp_path: Path) -> None:
    found = scans_of(
        engine, tmp_path, "SELECT count(*) FROM orders o LEFT JOIN order_lines l ON l.order_id = o.state + o.day"
    )

    assert [advice for _, advice in found] == ["CREATE INDEX ix_order_lines_order_id ON order_lines (order_id);"]
