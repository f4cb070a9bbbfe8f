"""The ledger of a session with its full scans, on SQLite."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, String, Table, bindparam, insert, select, text
from sqlalchemy.engine import Connection, Engine

from shared.database import in_read, in_write, make_engine
from shared.profiling.session import Session, Subject, watching
from shared.profiling.store import ProfileStore

ROWS = 2000
HERE = "tests/unit/profiling/test_ledger.py"
metadata = MetaData()
orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("station_id", String(16)),
    Column("name", String(16)),
    Index("ix_orders_name", "name"),
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = make_engine(f"sqlite:///{tmp_path}/orders.db")
    metadata.create_all(made)
    rows = [{"station_id": f"S{number % 7}", "name": f"n{number}"} for number in range(ROWS)]
    in_write(made, lambda connection: connection.execute(insert(orders), rows))
    yield made
    made.dispose()


def watch(folder: Path, way: str = "ledger") -> Any:
    return watching(Subject("call", "test", way, request_id="r1"), ProfileStore(folder / "profiles"))


def ask_one_by_one(engine: Engine, times: int) -> None:
    for number in range(times):
        name = f"n{number}"
        in_read(engine, lambda connection: connection.execute(select(orders).where(orders.c.name == name)).all())  # noqa: B023


def entries(session: Session, word: str) -> list[Any]:
    return [entry for entry in session.ledger.entries.values() if word in entry.shape]


def test_statements_are_added_up_by_shape_and_line_of_our_code(engine: Engine, tmp_path: Path) -> None:
    with watch(tmp_path) as session:
        ask_one_by_one(engine, 30)

    [entry] = entries(session, "orders.name = ?")
    assert (entry.count, entry.rows, entry.database) == (30, 30, "sqlite")
    assert entry.line.startswith(f"{HERE}:")
    assert entry.total_seconds >= entry.worst_seconds > 0


def test_rows_of_a_select_are_counted_as_they_are_fetched(engine: Engine, tmp_path: Path) -> None:
    with watch(tmp_path) as session:
        in_read(engine, lambda connection: connection.execute(select(orders)).all())

    [entry] = entries(session, "FROM orders")
    assert entry.rows == ROWS


def test_the_time_that_sqlite_takes_to_find_rows_counts_though_they_are_fetched_later(
    engine: Engine, tmp_path: Path
) -> None:
    # The first row comes at once, the others only after a search of half a million pairs.
    slow = text("SELECT a.id FROM orders a, orders b WHERE a.id + b.id = 2 OR (a.id > 1700 AND a.id * b.id = -1)")

    with watch(tmp_path) as session:
        began = time.perf_counter()
        in_read(engine, lambda connection: connection.execute(slow).all())
        seconds = time.perf_counter() - began

    [entry] = entries(session, "a.id + b.id")
    assert entry.rows == 1
    assert entry.worst_seconds == entry.total_seconds
    assert 0.5 * seconds < entry.total_seconds <= seconds


@pytest.mark.parametrize("options", [{}, {"yield_per": 300}])
@pytest.mark.parametrize("run", [in_read, in_write])
def test_rows_that_are_fetched_in_parts_come_once_and_are_counted_once(
    engine: Engine, tmp_path: Path, run: Any, options: dict[str, Any]
) -> None:
    def take(connection: Connection) -> list[int]:
        rows = connection.execution_options(**options).execute(select(orders.c.id).order_by(orders.c.id)).scalars()
        one_by_one = [next(rows) for _ in range(70)]
        return [*one_by_one, *rows.fetchmany(10), next(rows), *rows.fetchmany(900), *rows.all()]

    with watch(tmp_path) as session:
        taken = run(engine, take)

    [entry] = entries(session, "FROM orders")
    assert taken == list(range(1, ROWS + 1))
    assert entry.rows == ROWS


def test_whoever_takes_the_first_rows_alone_has_no_more_than_twice_as_many_fetched(
    engine: Engine, tmp_path: Path
) -> None:
    def take(connection: Connection) -> None:
        rows = connection.execute(select(orders.c.id))
        for _ in range(100):
            rows.fetchone()
        rows.close()

    with watch(tmp_path) as session:
        in_read(engine, take)

    [entry] = entries(session, "FROM orders")
    assert 100 <= entry.rows <= 200


def test_a_session_within_a_session_ends_alone(engine: Engine, tmp_path: Path) -> None:
    with watch(tmp_path) as outer:
        with watch(tmp_path):
            ask_one_by_one(engine, 1)
        ask_one_by_one(engine, 2)

    [entry] = entries(outer, "orders.name = ?")
    assert entry.count == 2


def test_many_changes_at_once_are_explained_too(engine: Engine, tmp_path: Path) -> None:
    change = orders.update().where(orders.c.station_id == bindparam("of")).values(name="same")

    with watch(tmp_path):
        in_write(engine, lambda connection: connection.execute(change, [{"of": "S1"}, {"of": "S2"}]))

    [record] = ProfileStore(tmp_path / "profiles").list_records()
    assert [scan["table"] for scan in record["scans"]] == ["orders"]


def test_nothing_is_added_outside_of_a_session(engine: Engine, tmp_path: Path) -> None:
    with watch(tmp_path) as session:
        pass
    ask_one_by_one(engine, 3)

    assert session.ledger.entries == {}


def test_a_full_scan_is_recorded_with_its_table_line_and_rows(engine: Engine, tmp_path: Path) -> None:
    with watch(tmp_path):
        in_read(engine, lambda c: c.execute(select(orders).where(orders.c.station_id == "S3")).all())
        ask_one_by_one(engine, 1)

    [record] = ProfileStore(tmp_path / "profiles").list_records()
    [scan] = record["scans"]
    assert (scan["table"], scan["index"], scan["rows_examined"]) == ("orders", "", ROWS)
    assert scan["line"].startswith(HERE)


def test_an_update_that_scans_is_found_and_done_once(engine: Engine, tmp_path: Path) -> None:
    change = orders.update().where(orders.c.station_id == bindparam("of")).values(name=orders.c.name + "x")

    with watch(tmp_path):
        in_write(engine, lambda connection: connection.execute(change, {"of": "S1"}))

    [record] = ProfileStore(tmp_path / "profiles").list_records()
    assert [scan["table"] for scan in record["scans"]] == ["orders"]
    with engine.connect() as connection:
        twice = connection.execute(text("SELECT count(*) FROM orders WHERE name LIKE '%xx'")).scalar_one()
    assert twice == 0


def test_values_are_never_written(engine: Engine, tmp_path: Path) -> None:
    with watch(tmp_path):
        in_read(engine, lambda c: c.execute(select(orders).where(orders.c.station_id == "private-value")).all())
        in_read(engine, lambda c: c.execute(text("SELECT id FROM orders WHERE station_id = 'private-value'")).all())

    kept = "".join(path.read_text() for path in (tmp_path / "profiles").rglob("*.json"))
    assert "station_id" in kept
    assert "private-value" not in kept


def test_an_exception_goes_on_and_the_record_says_so(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(LookupError), watch(tmp_path, way="cprofile"):
        ask_one_by_one(engine, 2)
        raise LookupError

    store = ProfileStore(tmp_path / "profiles")
    [record] = store.list_records()
    assert record["failed"] is True
    assert any(place[2] == "ask_one_by_one" for place in store.table_of(record))


def test_what_goes_wrong_while_plans_are_read_fails_nobody_and_a_database_that_is_away_is_asked_once(
    tmp_path: Path,
) -> None:
    asked = []

    def broken() -> list[dict[str, Any]]:
        raise LookupError("no plan")

    def away() -> None:
        asked.append("away")

    with watch(tmp_path) as session:
        session.to_explain += [broken, away, away]

    [record] = ProfileStore(tmp_path / "profiles").list_records()
    assert record["scans"] == []
    assert asked == ["away"]


def test_a_database_that_is_gone_is_not_asked_for_plans(engine: Engine, tmp_path: Path) -> None:
    with watch(tmp_path) as session:
        ask_one_by_one(engine, 1)
        engine.dispose()
        (tmp_path / "orders.db").unlink()
        (tmp_path / "orders.db").mkdir()

    assert [explain() for explain in session.to_explain] == [None]
