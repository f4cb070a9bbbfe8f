"""Keep what became of each run of a task, and when it was sent to the workers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = "tbl_async_task_run"
MYSQL = ("mysql", "mariadb")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), *MYSQL)
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Apply."""
    op.add_column("tbl_async_task", sa.Column("sent_time", MOMENT, nullable=True))
    op.create_table(
        TABLE,
        sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("run_count", sa.Integer(), nullable=False),
        sa.Column("sent_time", MOMENT, nullable=True),
        sa.Column("start_time", MOMENT, nullable=True),
        sa.Column("end_time", MOMENT, nullable=False),
        sa.Column("status", sa.SmallInteger().with_variant(mysql.TINYINT(4), *MYSQL), nullable=False),
        sa.Column("reason_code", sa.String(64), nullable=True),
        sa.Column("log", sa.JSON(), nullable=True),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    op.create_index("ix_tbl_async_task_run_task_id", TABLE, ["task_id"])


def downgrade() -> None:
    """Take back."""
    op.drop_table(TABLE)
    with op.batch_alter_table("tbl_async_task") as table:
        table.drop_column("sent_time")
