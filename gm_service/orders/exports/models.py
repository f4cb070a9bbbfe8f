"""The tables of exports: finished sync ones, and which task made a request last."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Table

from gm_service.db import metadata
from shared.database import UtcDateTime, exact_text


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A finished sync export that can be downloaded until it expires."""

    file: str
    """path below files_dir"""
    file_name: str
    """what people see"""


export_file = Table(
    "export_file",
    metadata,
    # Random, so that a link can't be guessed; the station is asked all the same.
    Column("id", exact_text(32), primary_key=True),
    Column("station_id", exact_text(16), nullable=False),
    Column("file", exact_text(255), nullable=False),
    Column("file_name", exact_text(255), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", exact_text(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "expires_at"),
    mysql_charset="utf8mb4",
)

export_request = Table(
    "export_request",
    metadata,
    Column("station_id", exact_text(16), primary_key=True),
    # Of everything that the file's bytes depend on, beside the orders.
    Column("sha256", exact_text(64), primary_key=True),
    # The task that was asked for it last; while it is under way, the same request joins it.
    Column("task_id", BigInteger, nullable=False),
    mysql_charset="utf8mb4",
)
