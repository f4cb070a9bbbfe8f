"""Create the task table: the contract's columns, and what leases, dispatch and stops need beside them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MYSQL = ("mysql", "mariadb")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), *MYSQL)
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), *MYSQL)
TABLE = "tbl_async_task"


def _binary(length: int) -> sa.String:
    return sa.String(length).with_variant(mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin"), *MYSQL)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("user_task_id", _binary(64), nullable=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("station_id", _binary(16), nullable=False),
        sa.Column("input", LONG_TEXT, nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("status", sa.SmallInteger().with_variant(mysql.TINYINT(4), *MYSQL), nullable=False),
        sa.Column("repeat", sa.Boolean(), nullable=True),
        sa.Column("message_show", sa.Boolean(), nullable=True),
        sa.Column("run_count", sa.Integer(), nullable=False),
        sa.Column("creat_time", MOMENT, nullable=False),
        sa.Column("modify_time", MOMENT, nullable=False),
        sa.Column("start_time", MOMENT, nullable=True),
        sa.Column("end_time", MOMENT, nullable=True),
        sa.Column("business_id", sa.Integer(), nullable=False),
        sa.Column("business_name", sa.String(64), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(1000), nullable=True),
        sa.Column("reason_code", sa.String(64), nullable=True),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("queue", sa.String(64), nullable=True),
        sa.Column("dispatch_at", MOMENT, nullable=True),
        sa.Column("dispatch_count", sa.Integer(), nullable=False),
        sa.Column("claim_id", _binary(64), nullable=True),
        sa.Column("owner", _binary(128), nullable=True),
        sa.Column("run_start", MOMENT, nullable=True),
        sa.Column("run_seconds", sa.Double(), nullable=False),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("lost_runs", sa.Integer(), nullable=False),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
        sa.Column("stop_until", MOMENT, nullable=True),
        sa.Column("stop_reason", sa.String(1000), nullable=True),
        sa.UniqueConstraint("station_id", "user_task_id", name="uq_tbl_async_task_station_id"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        # Ids of purged tasks must not come back: import rows and files are keyed by them.
        sqlite_autoincrement=True,
    )
    for columns in (
        ["user_task_id"],
        ["station_id", "id"],
        ["station_id", "status", "id"],
        ["status", "dispatch_at"],
        ["status", "lease_until"],
        ["status", "end_time"],
    ):
        op.create_index("ix_tbl_async_task_" + "_".join(columns), TABLE, columns)


def downgrade() -> None:
    op.drop_table(TABLE)
