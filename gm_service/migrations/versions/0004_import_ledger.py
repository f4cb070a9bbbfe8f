"""Keep every submitted row in the ledger from the beginning, and what a station sells to whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


def _exact(length: int) -> sa.types.TypeEngine[str]:
    exact = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(exact, "mysql", "mariadb")


def upgrade() -> None:
    """Apply; imports known so far keep their rows."""
    _create_ledger()
    _create_catalogue()
    _copy_ledger()
    for table in ("import_row", "import_batch"):
        op.drop_table(table)


def downgrade() -> None:
    """Take back; rows that were not attempted and imports without a task are lost with it."""
    _create_old_ledger()
    op.execute(
        "INSERT INTO import_batch (task_id, station_id, time_config_id, file_name, run_count, total, created_at) "
        "SELECT task_id, station_id, time_config_id, file_name, run_count, total, created_at FROM order_import "
        "WHERE task_id IS NOT NULL"
    )
    op.execute(
        "INSERT INTO import_row (task_id, row_index, state, attempt, code, column_name, value, reason, reason_zh, "
        "original, order_id) SELECT i.task_id, r.row_index, r.state, r.attempt, r.code, r.column_name, r.value, "
        "r.reason, r.reason_zh, r.original, r.order_id FROM order_import_row r JOIN order_import i "
        "ON i.id = r.import_id WHERE i.task_id IS NOT NULL AND r.state <> 0"
    )
    for table in ("catalogue", "order_import_row", "order_import"):
        op.drop_table(table)


def _copy_ledger() -> None:
    op.execute(
        "INSERT INTO order_import (id, station_id, task_id, time_config_id, file_name, total, run_count, closed_run, "
        "version, created_at) SELECT task_id, station_id, task_id, time_config_id, file_name, total, run_count, 0, 1, "
        "created_at FROM import_batch"
    )
    op.execute(
        "INSERT INTO order_import_row (import_id, row_index, state, attempt, code, column_name, value, reason, "
        "reason_zh, original, order_id, version) SELECT task_id, row_index, state, attempt, code, column_name, value, "
        "reason, reason_zh, original, order_id, 1 FROM import_row"
    )


def _create_ledger() -> None:
    op.create_table(
        "order_import",
        sa.Column("id", _BIG_ID, nullable=False, autoincrement=True),
        sa.Column("station_id", _exact(16), nullable=False),
        sa.Column("submission", _exact(64)),
        sa.Column("task_id", sa.BigInteger()),
        sa.Column("time_config_id", _exact(32), nullable=False),
        sa.Column("file_name", _exact(255), nullable=False),
        sa.Column("sha256", _exact(64)),
        sa.Column("titles", _LONG_TEXT),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("run_count", sa.Integer(), nullable=False),
        sa.Column("closed_run", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_order_import"),
        sa.UniqueConstraint("task_id", name="uq_order_import_task_id"),
        sa.UniqueConstraint("station_id", "submission", name="uq_order_import_station_id_submission"),
        mysql_charset="utf8mb4",
    )
    op.create_table(
        "order_import_row",
        sa.Column("import_id", _BIG_ID, nullable=False, autoincrement=False),
        sa.Column("row_index", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("code", _exact(32)),
        sa.Column("column_name", _exact(64)),
        sa.Column("value", _exact(80)),
        sa.Column("reason", _exact(500)),
        sa.Column("reason_zh", _exact(500)),
        sa.Column("original", _LONG_TEXT, nullable=False),
        sa.Column("sheet_row", sa.Integer()),
        sa.Column("cells", _LONG_TEXT),
        sa.Column("order_id", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "row_index", name="pk_order_import_row"),
        sa.ForeignKeyConstraint(["import_id"], ["order_import.id"], name="fk_order_import_row_import_id_order_import"),
        mysql_charset="utf8mb4",
    )
    columns = ["import_id", "state", "row_index"]
    op.create_index("ix_order_import_row_import_id_state_row_index", "order_import_row", columns)


def _create_catalogue() -> None:
    op.create_table(
        "catalogue",
        sa.Column("station_id", _exact(16), nullable=False),
        sa.Column("kind", _exact(8), nullable=False),
        sa.Column("code", _exact(64), nullable=False),
        sa.Column("name", _exact(255), nullable=False),
        sa.Column("unit", _exact(16), nullable=False),
        sa.PrimaryKeyConstraint("station_id", "kind", "code", name="pk_catalogue"),
        mysql_charset="utf8mb4",
    )


def _create_old_ledger() -> None:
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
