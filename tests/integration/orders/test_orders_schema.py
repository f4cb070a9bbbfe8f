"""The migration makes the very tables that the code works with, and the indexes serve the queries."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, MetaData, inspect, text

from gm_service.db import metadata
from gm_service.migrate import migrate  # noqa: F401 fills the metadata
from gm_service.orders import store
from gm_service.orders.imports import ledger, rows
from gm_service.orders.imports.models import RowState
from gm_service.orders.query import OrderQuery, QueryType
from shared.database import in_read, make_engine

_VERSIONS = [
    importlib.import_module(f"gm_service.migrations.versions.{name}")
    for name in (
        "0001_stations",
        "0002_orders",
        "0003_sessions",
        "0004_import_ledger",
        "0005_export_request",
        "0006_call_nonces",
    )
]


def apply(engine: Engine, *versions: Any, direction: str = "upgrade") -> None:
    for version in versions:
        with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
            getattr(version, direction)()


@pytest.fixture
def empty_engine(orders_engine: Engine) -> Iterator[Engine]:
    """A database without tables, and left so."""
    metadata.drop_all(orders_engine)
    yield orders_engine
    left = MetaData()
    left.reflect(orders_engine)
    left.drop_all(orders_engine)


def test_migrations_make_the_tables_of_the_models(empty_engine: Engine) -> None:
    apply(empty_engine, *_VERSIONS)

    with empty_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_every_migration_is_listed_here() -> None:
    files = Path(_VERSIONS[0].__file__ or "").parent.glob("0*.py")

    assert sorted(path.stem for path in files) == [version.__name__.rpartition(".")[2] for version in _VERSIONS]


def test_migrations_can_be_taken_back(empty_engine: Engine) -> None:
    apply(empty_engine, *_VERSIONS)

    apply(empty_engine, *reversed(_VERSIONS), direction="downgrade")

    assert inspect(empty_engine).get_table_names() == []


def test_imports_of_the_older_ledger_keep_their_rows(empty_engine: Engine) -> None:
    apply(empty_engine, *_VERSIONS[:3])
    with empty_engine.begin() as connection:
        connection.execute(
            text("INSERT INTO import_batch VALUES (7, 'S001', 'whole-day', '一.xlsx', 2, 3, '2026-01-01 00:00:00')")
        )
        for index, state in enumerate((1, 2)):
            row = f"INSERT INTO import_row VALUES (7, {index}, {state}, 1, 'code', 'sku', 'v', 'en', 'zh', '[5]', 9)"
            connection.execute(text(row))

    apply(empty_engine, *_VERSIONS[3:])

    batch = in_read(empty_engine, lambda c: ledger.find_by_task(c, "S001", 7))
    assert batch is not None
    assert (batch.file_name, batch.total, batch.submission, batch.version) == ("一.xlsx", 3, None, 1)
    kept = in_read(empty_engine, lambda c: rows.list_outcomes(c, batch.id))
    assert [(row.index, row.state, row.column, row.reason_zh) for row in kept] == [
        (0, RowState.CREATED, "sku", "zh"),
        (1, RowState.FAILED, "sku", "zh"),
    ]
    apply(empty_engine, *reversed(_VERSIONS[3:]), direction="downgrade")
    with empty_engine.connect() as connection:
        assert connection.execute(text("SELECT task_id, row_index FROM import_row")).all() == [(7, 0), (7, 1)]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (OrderQuery(QueryType.ORDER_DATE, date(2010, 12, 1), date(2010, 12, 2)), "station_id_order_time_id"),
        (
            OrderQuery(QueryType.RECEIVE_DATE, date(2010, 12, 1), date(2010, 12, 2)),
            "station_id_receive_date_order_time_id",
        ),
        (
            OrderQuery(
                QueryType.OPERATING_CYCLE,
                time_config_id="c",
                cycle_start_time=datetime(2010, 12, 1, tzinfo=UTC),
                cycle_end_time=datetime(2010, 12, 2, tzinfo=UTC),
            ),
            "station_id_time_config_id_order_time_id",
        ),
    ],
)
def test_first_page_comes_sorted_from_an_index(zone: ZoneInfo, query: OrderQuery, index: str) -> None:
    # SQLite plans without statistics; other databases choose by what is in the table.
    engine = make_engine("sqlite://")
    metadata.create_all(engine)
    statement = store.page_statement("S001", query, zone, page_size=10)
    sql = statement.compile(engine, compile_kwargs={"literal_binds": True})

    with engine.connect() as connection:
        plan = " ".join(row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {sql}")))

    assert f"ix_orders_{index}" in plan
    assert "TEMP B-TREE" not in plan
