"""Make orders with their lines, operating cycles, the row ledger of imports, and the files of sync exports."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


def _exact(length: int) -> sa.types.TypeEngine[str]:
    exact = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(exact, "mysql", "mariadb")


def _decimal(scale: int) -> sa.types.TypeEngine[Any]:
    """SQLite keeps the decimal as an integer, scaled."""
    return sa.Numeric(18, scale).with_variant(sa.BigInteger(), "sqlite")


def upgrade() -> None:
    """Apply."""
    _create_time_config()
    _create_orders()
    _create_order_line()
    _create_ledger()
    _create_export_file()


def downgrade() -> None:
    """Take back."""
    for table in ("export_file", "import_row", "import_batch", "order_line", "orders", "time_config"):
        op.drop_table(table)


def _create_time_config() -> None:
    op.create_table(
        "time_config",
        sa.Column("station_id", _exact(16), nullable=False),
        sa.Column("id", _exact(32), nullable=False),
        sa.Column("name", _exact(64), nullable=False),
        sa.Column("start_time", _exact(5), nullable=False),
        sa.Column("end_time", _exact(5), nullable=False),
        sa.PrimaryKeyConstraint("station_id", "id", name="pk_time_config"),
        mysql_charset="utf8mb4",
    )


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", _BIG_ID, nullable=False, autoincrement=True),
        sa.Column("station_id", _exact(16), nullable=False),
        sa.Column("order_no", _exact(64), nullable=False),
        sa.Column("order_time", _MOMENT, nullable=False),
        sa.Column("receive_date", sa.Date(), nullable=False),
        sa.Column("time_config_id", _exact(32), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("buyer_code", _exact(64), nullable=False),
        sa.Column("buyer_name", _exact(128), nullable=False),
        sa.Column("area", _exact(64), nullable=False),
        sa.Column("remark", _exact(500), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("amount", _decimal(2), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("task_id", sa.BigInteger()),
        sa.Column("row_index", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint("station_id", "order_no", name="uq_orders_station_id_order_no"),
        sa.UniqueConstraint("task_id", "row_index", name="uq_orders_task_id_row_index"),
        mysql_charset="utf8mb4",
    )
    for columns in (
        ["station_id", "order_time", "id"],
        ["station_id", "receive_date", "order_time", "id"],
        ["station_id", "time_config_id", "order_time", "id"],
    ):
        op.create_index(f"ix_orders_{'_'.join(columns)}", "orders", columns)


def _create_order_line() -> None:
    op.create_table(
        "order_line",
        sa.Column("order_id", _BIG_ID, nullable=False, autoincrement=False),
        sa.Column("line_no", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sku_code", _exact(64), nullable=False),
        sa.Column("sku_name", _exact(255), nullable=False),
        sa.Column("unit", _exact(16), nullable=False),
        sa.Column("quantity", _decimal(3), nullable=False),
        sa.Column("unit_price", _decimal(4), nullable=False),
        sa.Column("amount", _decimal(2), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "line_no", name="pk_order_line"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_line_order_id_orders", ondelete="CASCADE"),
        mysql_charset="utf8mb4",
    )


def _create_ledger() -> None:
    op.create_table(
        "import_batch",
        sa.Column("task_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("station_id", _exact(16), nullable=False),
        sa.Column("time_config_id", _exact(32), nullable=False),
        sa.Column("file_name", _exact(255), nullable=False),
        sa.Column("run_count", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("task_id", name="pk_import_batch"),
        mysql_charset="utf8mb4",
    )
    op.create_table(
        "import_row",
        sa.Column("task_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("row_index", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("code", _exact(32)),
        sa.Column("column_name", _exact(64)),
        sa.Column("value", _exact(80)),
        sa.Column("reason", _exact(500)),
        sa.Column("reason_zh", _exact(500)),
        sa.Column("original", _LONG_TEXT, nullable=False),
        sa.Column("order_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("task_id", "row_index", name="pk_import_row"),
        sa.ForeignKeyConstraint(["task_id"], ["import_batch.task_id"], name="fk_import_row_task_id_import_batch"),
        mysql_charset="utf8mb4",
    )


def _create_export_file() -> None:
    op.create_table(
        "export_file",
        sa.Column("id", _exact(32), nullable=False),
        sa.Column("station_id", _exact(16), nullable=False),
        sa.Column("file", _exact(255), nullable=False),
        sa.Column("file_name", _exact(255), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", _exact(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_export_file"),
        mysql_charset="utf8mb4",
    )
    op.create_index("ix_export_file_expires_at", "export_file", ["expires_at"])
