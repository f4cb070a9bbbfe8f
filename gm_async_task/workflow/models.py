"""The tables of jobs: the contract's columns under their names, and beside them what the guarantees need."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, Table, UniqueConstraint

from gm_async_task.db import metadata
from shared.database import BigId, LongText, UtcDateTime, exact_text

_OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}


def _text(name: str, length: int = 64) -> Column[str]:
    return Column(name, exact_text(length), nullable=False)


jobs = Table(
    "workflow_job",
    metadata,
    Column("job_id", BigId, primary_key=True, autoincrement=True),
    _text("job_client"),
    _text("job_namespace"),
    _text("job_reqid"),
    _text("job_name"),
    _text("job_status"),
    _text("job_type"),
    _text("job_tags", 128),
    _text("ret_stat"),
    Column("ret_data", LongText, nullable=True),
    Column("job_cost", Double, nullable=False),
    _text("job_extra", 10_240),
    Column("job_timeout", Integer, nullable=False),
    _text("job_lock"),
    Column("exe_id", Integer, nullable=False),
    _text("operator"),
    Column("is_valid", Boolean, nullable=False),
    Column("c_time", UtcDateTime, nullable=False),
    Column("s_time", UtcDateTime, nullable=False),
    Column("e_time", UtcDateTime, nullable=False),
    Column("u_time", UtcDateTime, nullable=False),
    # When a started job is over time.
    Column("deadline", UtcDateTime, nullable=False),
    UniqueConstraint("job_name"),
    *(
        Index(f"ix_workflow_job_{column}", column)
        for column in (
            *("job_client", "job_namespace", "job_reqid", "job_tags", "ret_stat"),
            *("job_cost", "exe_id", "operator", "is_valid"),
        )
    ),
    Index("ix_workflow_job_job_status_deadline", "job_status", "deadline"),
    Index("ix_workflow_job_job_status_e_time", "job_status", "e_time"),
    Index("ix_workflow_job_job_type_e_time", "job_type", "e_time"),
    # Ids of deleted jobs must not come back: what their handlers did is keyed by them.
    sqlite_autoincrement=True,
    **_OPTIONS,
)

tasks = Table(
    "workflow_task",
    metadata,
    Column("task_id", BigId, primary_key=True, autoincrement=True),
    Column("job_id", BigInteger, nullable=False),
    _text("task_label"),
    _text("task_reqid"),
    _text("task_cmd", 128),
    Column("task_params", LongText, nullable=True),
    _text("task_requires", 1024),
    _text("task_provides", 1024),
    _text("task_dependencies", 10_240),
    _text("task_status"),
    Column("task_cost", Double, nullable=False),
    Column("task_extra", LongText, nullable=False),
    Column("task_is_save", Boolean, nullable=False),
    _text("ret_stat"),
    Column("ret_data", LongText, nullable=True),
    Column("task_retrymax", Integer, nullable=False),
    Column("task_retrycount", Integer, nullable=False),
    Column("task_timeout", Integer, nullable=False),
    Column("c_time", UtcDateTime, nullable=False),
    Column("s_time", UtcDateTime, nullable=False),
    Column("u_time", UtcDateTime, nullable=False),
    # Its row in tbl_async_task, which workers claim; null until it was ready for the first time.
    Column("async_task_id", BigInteger, nullable=True),
    *(
        Index(f"ix_workflow_task_{column}", column)
        for column in ("job_id", "task_label", "task_reqid", "task_cmd", "task_status", "task_cost", "ret_stat")
    ),
    sqlite_autoincrement=True,
    **_OPTIONS,
)

locks = Table(
    "workflow_lock",
    metadata,
    # Who is in here holds the lock; the key is what makes it one.
    Column("lock_name", exact_text(64), primary_key=True),
    Column("job_id", BigInteger, nullable=False),
    Index("ix_workflow_lock_job_id", "job_id"),
    **_OPTIONS,
)

notices = Table(
    "workflow_notice",
    metadata,
    # What plugins are still to be told, in the order in which it happened.
    Column("notice_id", BigId, primary_key=True, autoincrement=True),
    Column("job_id", BigInteger, nullable=False),
    Column("job_type", exact_text(64), nullable=False),
    # The job as it was at that moment, as JSON.
    Column("job", LongText, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Index("ix_workflow_notice_due_at", "due_at"),
    Index("ix_workflow_notice_job_id", "job_id"),
    sqlite_autoincrement=True,
    **_OPTIONS,
)

CONTRACT_JOB_COLUMNS = tuple(column.name for column in jobs.c if column.name != "deadline")
CONTRACT_TASK_COLUMNS = tuple(column.name for column in tasks.c if column.name != "async_task_id")
