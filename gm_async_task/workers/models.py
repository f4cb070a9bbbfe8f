"""The tables `tbl_worker` (who is there) and `tbl_release` (which versions are tried, live, taken back)."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, SmallInteger, String, Table, UniqueConstraint

from gm_async_task.db import metadata
from shared.database import BigId, UtcDateTime, exact_text

workers = Table(
    "tbl_worker",
    metadata,
    Column("name", exact_text(128), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", exact_text(64), nullable=False),
    # The base queues that it is set up for, and the functions that it has.
    Column("queues", JSON, nullable=False),
    Column("functions", JSON, nullable=False),
    Column("concurrency", Integer, nullable=False),
    # What it ran at its last report: a list of shared.task_api.workers.WorkerRun.
    Column("runs", JSON, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

releases = Table(
    "tbl_release",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("version", exact_text(64), nullable=False),
    Column("state", String(16), nullable=False),
    # Whose tasks go to the grey lane: that share of these stations' tasks for these queues; empty lists: of all.
    Column("percent", Integer, nullable=False),
    Column("stations", JSON, nullable=False),
    Column("queues", JSON, nullable=False),
    # The versions that take nothing more since this one is live.
    Column("drained", JSON, nullable=False),
    Column("reason", String(1000), nullable=True),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=True),
    # 1 while it is tried, null after: of two that begin at once the database refuses one.
    Column("grey_slot", SmallInteger, nullable=True),
    UniqueConstraint("grey_slot"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
    sqlite_autoincrement=True,
)
