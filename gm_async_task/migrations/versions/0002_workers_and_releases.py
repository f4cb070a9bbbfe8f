"""Keep workers and releases; give tasks a lane, and count refusals of names that a worker does not know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MYSQL = ("mysql", "mariadb")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), *MYSQL)
TABLE = "tbl_async_task"
INDEXES = {
    "ix_tbl_async_task_waiting": ["status", "lane", "queue", "creat_time"],
    "ix_tbl_async_task_figures": ["creat_time", "lane", "queue", "status", "reason_code", "start_time"],
}


def _binary(length: int) -> sa.String:
    return sa.String(length).with_variant(mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin"), *MYSQL)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "tbl_worker",
        sa.Column("name", _binary(128), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", _binary(64), nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("functions", sa.JSON(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("runs", sa.JSON(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_tbl_worker"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    op.create_table(
        "tbl_release",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("version", _binary(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("stations", sa.JSON(), nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("drained", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=True),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("grey_slot", sa.SmallInteger(), nullable=True),
        sa.UniqueConstraint("grey_slot", name="uq_tbl_release_grey_slot"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        sqlite_autoincrement=True,
    )
    # Plain ADD COLUMN on every database: the table is not copied, and services of the version before go on adding.
    op.add_column(TABLE, sa.Column("lane", sa.String(16), nullable=True))
    op.add_column(TABLE, sa.Column("refused_at", MOMENT, nullable=True))
    op.add_column(TABLE, sa.Column("refused_count", sa.Integer(), nullable=False, server_default="0"))
    for name, columns in INDEXES.items():
        op.create_index(name, TABLE, columns)


def downgrade() -> None:
    """Take back."""
    for name in INDEXES:
        op.drop_index(name, TABLE)
    for column in ("refused_count", "refused_at", "lane"):
        op.drop_column(TABLE, column)
    op.drop_table("tbl_release")
    op.drop_table("tbl_worker")
