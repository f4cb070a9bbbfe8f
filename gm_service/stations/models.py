"""Tables of stations, their people and their programs' tokens, and what travels of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from gm_service.db import metadata
from shared.database import BigId, UtcDateTime, exact_text

station = Table(
    "station",
    metadata,
    Column("id", exact_text(16), primary_key=True),
    Column("name", String(64), nullable=False),
    # More orders than this are exported asynchronously; null: the service's own threshold.
    Column("export_threshold", Integer),
    mysql_charset="utf8mb4",
)

station_user = Table(
    "station_user",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("station_id", exact_text(16), ForeignKey("station.id"), nullable=False),
    Column("username", exact_text(64), nullable=False),
    Column("display_name", String(64), nullable=False),
    Column("password_hash", String(255), nullable=False),
    UniqueConstraint("station_id", "username"),
    mysql_charset="utf8mb4",
)

station_token = Table(
    "station_token",
    metadata,
    Column("id", BigId, primary_key=True),
    # SHA-256 of the token in hexadecimal: who reads the table can't use what it holds.
    Column("token_hash", exact_text(64), nullable=False, unique=True),
    Column("station_id", exact_text(16), ForeignKey("station.id"), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    mysql_charset="utf8mb4",
)

station_session = Table(
    "station_session",
    metadata,
    # SHA-256 of the key that the browser's signed cookie holds; signing out deletes the row.
    Column("key_hash", exact_text(64), primary_key=True),
    Column("user_id", BigId, ForeignKey("station_user.id"), nullable=False, index=True),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    mysql_charset="utf8mb4",
)

sign_in_attempt = Table(
    "sign_in_attempt",
    metadata,
    Column("id", BigId, primary_key=True),
    # SHA-256 of what is counted: a station with a user name, or a network address.
    Column("subject", exact_text(64), nullable=False),
    Column("attempted_at", UtcDateTime, nullable=False),
    Index("ix_sign_in_attempt_subject_attempted_at", "subject", "attempted_at"),
    mysql_charset="utf8mb4",
)


@dataclass(frozen=True, slots=True)
class Station:
    """A station whose data its own people and programs alone may see."""

    id: str
    name: str
    export_threshold: int | None
    """more orders than this are exported asynchronously; None: the service's own threshold"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in."""

    user_id: int
    username: str
    display_name: str
    station: Station
    password_stamp: str
    """changes with the password, so that sessions opened with the old one end"""
