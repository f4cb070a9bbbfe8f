"""The table `tbl_async_task`: the contract's columns under their names, and beside them what the guarantees need.

`tbl_async_task_run` has the runs that are over.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql

from gm_async_task.db import metadata
from shared.database import BigId, LongText, UtcDateTime, exact_text

MYSQL = ("mysql", "mariadb")

tasks = Table(
    "tbl_async_task",
    metadata,
    # The contract's columns (docs/task-api.md section 2); `creat_time` is its spelling.
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("user_task_id", exact_text(64), nullable=True),
    Column("name", String(64), nullable=False),
    Column("station_id", exact_text(16), nullable=False),
    Column("input", LongText, nullable=False),
    Column("result", JSON(none_as_null=True), nullable=True),
    Column("status", SmallInteger().with_variant(mysql.TINYINT(4), *MYSQL), nullable=False),
    Column("repeat", Boolean, nullable=True),
    Column("message_show", Boolean, nullable=True),
    Column("run_count", Integer, nullable=False),
    Column("creat_time", UtcDateTime, nullable=False),
    Column("modify_time", UtcDateTime, nullable=False),
    Column("start_time", UtcDateTime, nullable=True),
    Column("end_time", UtcDateTime, nullable=True),
    Column("business_id", Integer, nullable=False),
    Column("business_name", String(64), nullable=False),
    Column("type", Integer, nullable=False),
    Column("progress", Integer, nullable=True),
    # Why it ended as it did: a sentence, and a word for machines.
    Column("reason", String(1000), nullable=True),
    Column("reason_code", String(64), nullable=True),
    # The request that caused it, for the run's log lines.
    Column("request_id", String(64), nullable=True),
    # Dispatch: who is to be rung, when the keeper rings (next), how often it has.
    Column("queue", String(64), nullable=True),
    Column("dispatch_at", UtcDateTime, nullable=True),
    Column("dispatch_count", Integer, nullable=False),
    # Whose workers are rung: null those of the base lane, `grey` those of the release being tried.
    Column("lane", String(16), nullable=True),
    # Bells of it that workers without its function gave back since it was last started: how many, and since when
    # no live worker has known the name.
    Column("refused_at", UtcDateTime, nullable=True),
    Column("refused_count", Integer, nullable=False, server_default="0"),
    # The present run: its claim, who runs it, since when, how long it may, until when it must be heard of.
    Column("claim_id", exact_text(64), nullable=True),
    Column("owner", exact_text(128), nullable=True),
    # When the bell was rung that it came by; the clock is the ringing host's.
    Column("sent_time", UtcDateTime, nullable=True),
    Column("run_start", UtcDateTime, nullable=True),
    Column("run_seconds", Double, nullable=False),
    Column("lease_until", UtcDateTime, nullable=True),
    # Runs that died, as against runs handed back unharmed.
    Column("lost_runs", Integer, nullable=False),
    # Somebody asked to close the running task: it must end by stop_until.
    Column("stop_requested", Boolean, nullable=False),
    Column("stop_until", UtcDateTime, nullable=True),
    Column("stop_reason", String(1000), nullable=True),
    # The task of a workflow job that this one runs.
    Column("workflow_task_id", BigInteger, nullable=True),
    # Who asked for it, and for which file; for people who look for theirs.
    Column("submitted_by", String(64), nullable=True),
    Column("file_name", String(255), nullable=True),
    UniqueConstraint("station_id", "user_task_id", name="uq_tbl_async_task_station_id"),
    Index("ix_tbl_async_task_user_task_id", "user_task_id"),
    Index("ix_tbl_async_task_station_id_id", "station_id", "id"),
    Index("ix_tbl_async_task_station_id_status_id", "station_id", "status", "id"),
    Index("ix_tbl_async_task_status_dispatch_at", "status", "dispatch_at"),
    Index("ix_tbl_async_task_status_lease_until", "status", "lease_until"),
    Index("ix_tbl_async_task_status_end_time", "status", "end_time"),
    # Which lanes of which queues something waits in, and when the first of each is due.
    Index("ix_tbl_async_task_lines", "status", "lane", "queue", "dispatch_at"),
    # A release's figures are read from this alone, as the rows may have megabytes.
    Index(
        "ix_tbl_async_task_figures",
        *("creat_time", "lane", "queue", "status", "reason_code", "start_time"),
    ),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
    # Ids of purged tasks must not come back: import rows and files are keyed by them.
    sqlite_autoincrement=True,
)

runs = Table(
    "tbl_async_task_run",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("task_id", BigInteger, nullable=False),
    Column("run_count", Integer, nullable=False),
    Column("sent_time", UtcDateTime, nullable=True),
    Column("start_time", UtcDateTime, nullable=True),
    Column("end_time", UtcDateTime, nullable=False),
    # Of the task after it: 1 where it was lost or handed back and the task waits again.
    Column("status", SmallInteger().with_variant(mysql.TINYINT(4), *MYSQL), nullable=False),
    Column("reason_code", String(64), nullable=True),
    # The last lines that it logged, as `shared.task_api.models.LogLine`; null of a run that died.
    Column("log", JSON(none_as_null=True), nullable=True),
    Index("ix_tbl_async_task_run_task_id", "task_id"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)
