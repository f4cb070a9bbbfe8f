"""The tables of the row ledger."""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, SmallInteger, Table

from gm_service.db import metadata
from shared.database import LongText, UtcDateTime, exact_text


class RowState(IntEnum):
    """What became of a submitted row; one that is not in the ledger was not attempted."""

    CREATED = 1
    """its order exists; `order_id` names it"""
    FAILED = 2
    """no order; `code`, `column_name`, `value` and the reasons say why"""


import_batch = Table(
    "import_batch",
    metadata,
    Column("task_id", BigInteger, primary_key=True, autoincrement=False),
    Column("station_id", exact_text(16), nullable=False),
    Column("time_config_id", exact_text(32), nullable=False),
    Column("file_name", exact_text(255), nullable=False),
    # The highest fencing token seen: a chunk that carries a lower one comes from a run that lost the task.
    Column("run_count", Integer, nullable=False),
    # Rows submitted; those that import_row lacks were not attempted.
    Column("total", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    mysql_charset="utf8mb4",
)

import_row = Table(
    "import_row",
    metadata,
    Column("task_id", BigInteger, ForeignKey("import_batch.task_id"), primary_key=True, autoincrement=False),
    Column("row_index", Integer, primary_key=True, autoincrement=False),
    Column("state", SmallInteger, nullable=False),
    # 1 for the first try; each correction of the row counts one up.
    Column("attempt", Integer, nullable=False),
    Column("code", exact_text(32)),
    Column("column_name", exact_text(64)),
    Column("value", exact_text(80)),
    Column("reason", exact_text(500)),
    Column("reason_zh", exact_text(500)),
    # The row as it was submitted, JSON: what a file of the failed rows is made from.
    Column("original", LongText, nullable=False),
    Column("order_id", BigInteger),
    mysql_charset="utf8mb4",
)
