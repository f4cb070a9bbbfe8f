"""The migration makes the very tables that the code works with, and the indexes serve the queries."""

from __future__ import annotations

import importlib
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, inspect, text

from gm_service.db import metadata
from gm_service.orders import store
from gm_service.orders.query import OrderQuery, QueryType
from shared.database import make_engine

_migration = importlib.import_module("gm_service.migrations.versions.0002_orders")
_OURS = {"time_config", "orders", "order_line", "export_file"}


def migrate(engine: Engine, direction: str) -> None:
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        getattr(_migration, direction)()


def test_migration_makes_the_tables_of_the_models(orders_engine: Engine) -> None:
    metadata.drop_all(orders_engine)

    migrate(orders_engine, "upgrade")

    with orders_engine.connect() as connection:
        options = {
            "compare_type": True,
            "include_object": lambda obj, name, kind, *_: kind != "table" or name in _OURS,
        }
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_migration_can_be_taken_back(orders_engine: Engine) -> None:
    metadata.drop_all(orders_engine)
    migrate(orders_engine, "upgrade")

    migrate(orders_engine, "downgrade")

    assert not _OURS & set(inspect(orders_engine).get_table_names())


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
