"""The tables of imports: the row ledger, and the lists that a station's imports are held against."""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, SmallInteger, Table, UniqueConstraint

from gm_service.db import metadata
from shared.database import BigId, LongText, UtcDateTime, exact_text


class RowState(IntEnum):
    """What became of a submitted row."""

    WAITING = 0
    """not attempted yet"""
    CREATED = 1
    """its order exists; `order_id` names it. Nothing leaves this state."""
    FAILED = 2
    """no order; `code`, `column_name`, `value` and the reasons say why. A corrected row is attempted again."""


order_import = Table(
    "order_import",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("station_id", exact_text(16), nullable=False),
    # The caller's own id of the submission: the task's user_task_id.
    Column("submission", exact_text(64)),
    # Known once the task is; rows are kept before it, so that no run ever meets an import without its rows.
    Column("task_id", BigInteger, unique=True),
    Column("time_config_id", exact_text(32), nullable=False),
    Column("file_name", exact_text(255), nullable=False),
    # Of everything that was submitted: tells a submission sent again from another one under the same id.
    Column("sha256", exact_text(64)),
    # JSON list of the file's own column titles; null where rows came as JSON.
    Column("titles", LongText),
    Column("total", Integer, nullable=False),
    # The highest fencing token seen: a run that carries a lower one has lost the task.
    Column("run_count", Integer, nullable=False),
    # Runs up to this one may write no more: their task had ended when somebody amended it.
    Column("closed_run", Integer, nullable=False),
    # Counts the changes of rows; the task's result says which of them it knows of.
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("station_id", "submission"),
    mysql_charset="utf8mb4",
)

order_import_row = Table(
    "order_import_row",
    metadata,
    Column("import_id", BigId, ForeignKey("order_import.id"), primary_key=True, autoincrement=False),
    Column("row_index", Integer, primary_key=True, autoincrement=False),
    Column("state", SmallInteger, nullable=False),
    # 0 while waiting, 1 for the first try; each correction of the row counts one up.
    Column("attempt", Integer, nullable=False),
    Column("code", exact_text(32)),
    Column("column_name", exact_text(64)),
    Column("value", exact_text(80)),
    Column("reason", exact_text(500)),
    Column("reason_zh", exact_text(500)),
    # The order as it was submitted last, JSON: what the row is made from, and what a file of the failed rows shows.
    Column("original", LongText, nullable=False),
    # Where the row stands in the clerk's file, from 1, and its cells there, JSON: one list a row of the file.
    Column("sheet_row", Integer),
    Column("cells", LongText),
    Column("order_id", BigInteger),
    # The import's version when this row changed last.
    Column("version", Integer, nullable=False),
    Index(None, "import_id", "state", "row_index"),
    mysql_charset="utf8mb4",
)

catalogue = Table(
    "catalogue",
    metadata,
    Column("station_id", exact_text(16), primary_key=True),
    # A `catalogue.Kind`.
    Column("kind", exact_text(8), primary_key=True),
    Column("code", exact_text(64), primary_key=True),
    # What an order takes for its own where it names the code alone.
    Column("name", exact_text(255), nullable=False),
    Column("unit", exact_text(16), nullable=False),
    mysql_charset="utf8mb4",
)
