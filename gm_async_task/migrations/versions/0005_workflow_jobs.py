"""Create the tables of workflow jobs, and let a task say which of a job's tasks it runs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MYSQL = ("mysql", "mariadb")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), *MYSQL)
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), *MYSQL)
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}


def _text(name: str, length: int = 64) -> sa.Column[str]:
    exact = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.Column(name, sa.String(length).with_variant(exact, *MYSQL), nullable=False)


def upgrade() -> None:
    op.add_column("tbl_async_task", sa.Column("workflow_task_id", sa.BigInteger(), nullable=True))
    _create_jobs()
    _create_tasks()
    op.create_table(
        "workflow_lock",
        _text("lock_name"),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lock_name", name="pk_workflow_lock"),
        **OPTIONS,
    )
    op.create_index("ix_workflow_lock_job_id", "workflow_lock", ["job_id"])
    op.create_table(
        "workflow_notice",
        sa.Column("notice_id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        _text("job_type"),
        sa.Column("job", LONG_TEXT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sqlite_autoincrement=True,
        **OPTIONS,
    )
    op.create_index("ix_workflow_notice_due_at", "workflow_notice", ["due_at"])
    op.create_index("ix_workflow_notice_job_id", "workflow_notice", ["job_id"])


def _create_jobs() -> None:
    op.create_table(
        "workflow_job",
        sa.Column("job_id", BIG_ID, primary_key=True, autoincrement=True),
        *(_text(name) for name in ("job_client", "job_namespace", "job_reqid", "job_name", "job_status", "job_type")),
        _text("job_tags", 128),
        _text("ret_stat"),
        sa.Column("ret_data", LONG_TEXT, nullable=True),
        sa.Column("job_cost", sa.Double(), nullable=False),
        _text("job_extra", 10_240),
        sa.Column("job_timeout", sa.Integer(), nullable=False),
        _text("job_lock"),
        sa.Column("exe_id", sa.Integer(), nullable=False),
        _text("operator"),
        sa.Column("is_valid", sa.Boolean(), nullable=False),
        *(sa.Column(name, MOMENT, nullable=False) for name in ("c_time", "s_time", "e_time", "u_time", "deadline")),
        sa.UniqueConstraint("job_name", name="uq_workflow_job_job_name"),
        # Ids of deleted jobs must not come back: what their handlers did is keyed by them.
        sqlite_autoincrement=True,
        **OPTIONS,
    )
    singles = ("job_client", "job_namespace", "job_reqid", "job_tags", "ret_stat", "job_cost", "exe_id", "operator")
    pairs = (["job_status", "deadline"], ["job_status", "e_time"], ["job_type", "e_time"])
    for columns in (*([name] for name in singles), ["is_valid"], *pairs):
        op.create_index("ix_workflow_job_" + "_".join(columns), "workflow_job", columns)


def _create_tasks() -> None:
    op.create_table(
        "workflow_task",
        sa.Column("task_id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        _text("task_label"),
        _text("task_reqid"),
        _text("task_cmd", 128),
        sa.Column("task_params", LONG_TEXT, nullable=True),
        _text("task_requires", 1024),
        _text("task_provides", 1024),
        _text("task_dependencies", 10_240),
        _text("task_status"),
        sa.Column("task_cost", sa.Double(), nullable=False),
        sa.Column("task_extra", LONG_TEXT, nullable=False),
        sa.Column("task_is_save", sa.Boolean(), nullable=False),
        _text("ret_stat"),
        sa.Column("ret_data", LONG_TEXT, nullable=True),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("task_retrymax", "task_retrycount", "task_timeout")
        ),
        *(sa.Column(name, MOMENT, nullable=False) for name in ("c_time", "s_time", "u_time")),
        sa.Column("async_task_id", sa.BigInteger(), nullable=True),
        sqlite_autoincrement=True,
        **OPTIONS,
    )
    for name in ("job_id", "task_label", "task_reqid", "task_cmd", "task_status", "task_cost", "ret_stat"):
        op.create_index(f"ix_workflow_task_{name}", "workflow_task", [name])


def downgrade() -> None:
    for table in ("workflow_notice", "workflow_lock", "workflow_task", "workflow_job"):
        op.drop_table(table)
    with op.batch_alter_table("tbl_async_task") as table_changes:
        table_changes.drop_column("workflow_task_id")
