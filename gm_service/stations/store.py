"""SQL of stations, people, tokens and sign-in attempts; every function runs inside the caller's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.engine import Connection

from gm_service.stations.models import (
    Person,
    Station,
    sign_in_attempt,
    station,
    station_session,
    station_token,
    station_user,
)
from shared.database import utc_after

_PERSON = select(
    station_user.c.id,
    station_user.c.username,
    station_user.c.display_name,
    station_user.c.password_hash,
    station.c.id.label("station_id"),
    station.c.name,
    station.c.export_threshold,
).join_from(station_user, station)


def save_station(connection: Connection, saved: Station) -> None:
    """Write a station, or its new name and threshold where it exists."""
    values = {"name": saved.name, "export_threshold": saved.export_threshold}
    if find_station(connection, saved.id) is None:
        connection.execute(insert(station).values(id=saved.id, **values))
    else:
        connection.execute(update(station).where(station.c.id == saved.id).values(values))


def find_station(connection: Connection, station_id: str) -> Station | None:
    """Return a station, None where there is no such one."""
    row = connection.execute(select(station).where(station.c.id == station_id)).one_or_none()
    return Station(row.id, row.name, row.export_threshold) if row else None


def save_user(connection: Connection, station_id: str, username: str, display_name: str, password_hash: str) -> None:
    """Write a person of a station, or the new name and password where the person exists."""
    values = {"display_name": display_name, "password_hash": password_hash}
    known = (station_user.c.station_id == station_id) & (station_user.c.username == username)
    if connection.scalar(select(station_user.c.id).where(known)) is None:
        connection.execute(insert(station_user).values(station_id=station_id, username=username, **values))
    else:
        connection.execute(update(station_user).where(known).values(values))


def find_user(connection: Connection, station_id: str, username: str) -> tuple[Person, str] | None:
    """Return a person and the password's hash, None where there is no such one."""
    wanted = (station_user.c.station_id == station_id) & (station_user.c.username == username)
    return _person(connection, wanted)


def find_user_of_session(connection: Connection, key_hash: str, now: utc_after) -> tuple[Person, str] | None:
    """Return a session's person and the password's hash, None where the session is over."""
    lasting = (station_session.c.key_hash == key_hash) & (station_session.c.expires_at > now)
    return _person(connection, station_user.c.id.in_(select(station_session.c.user_id).where(lasting)))


def add_session(connection: Connection, key_hash: str, user_id: int, expires_at: utc_after) -> None:
    """Write a session."""
    values = {"key_hash": key_hash, "user_id": user_id, "expires_at": expires_at}
    connection.execute(insert(station_session).values(values))


def end_session(connection: Connection, key_hash: str) -> None:
    """Drop a session, if it is there."""
    connection.execute(delete(station_session).where(station_session.c.key_hash == key_hash))


def forget_sessions_before(connection: Connection, moment: utc_after) -> None:
    """Drop what expired by itself."""
    connection.execute(delete(station_session).where(station_session.c.expires_at <= moment))


def save_token(connection: Connection, token_hash: str, station_id: str, name: str, now: utc_after) -> None:
    """Write a token, in place of the station's tokens of that name."""
    known = (station_token.c.station_id == station_id) & (station_token.c.name == name)
    connection.execute(delete(station_token).where(known))
    values = {"token_hash": token_hash, "station_id": station_id, "name": name, "created_at": now}
    connection.execute(insert(station_token).values(values))


def find_station_of_token(connection: Connection, token_hash: str) -> Station | None:
    """Return the station that a token was issued to, None where it was not issued."""
    joined = select(station).join_from(station_token, station).where(station_token.c.token_hash == token_hash)
    row = connection.execute(joined).one_or_none()
    return Station(row.id, row.name, row.export_threshold) if row else None


def find_age_of_blocking(
    connection: Connection, subject: str, limit: int, since: utc_after, now: utc_after
) -> timedelta | None:
    """Return how old the attempt is that must leave the window before another may be made; None: it may be made."""
    recent = (sign_in_attempt.c.subject == subject) & (sign_in_attempt.c.attempted_at > since)
    newest_first = select(sign_in_attempt.c.attempted_at, now).where(recent)
    row = connection.execute(
        newest_first.order_by(sign_in_attempt.c.attempted_at.desc()).offset(limit - 1).limit(1)
    ).one_or_none()
    return row[1] - row[0] if row else None


def add_attempt(connection: Connection, subject: str, now: utc_after) -> int:
    """Hold an attempt against a subject; return its id."""
    added = connection.execute(insert(sign_in_attempt).values(subject=subject, attempted_at=now))
    return int(added.inserted_primary_key[0]) if added.inserted_primary_key else 0


def forget_attempts(connection: Connection, ids: Iterable[int], subject: str) -> None:
    """Drop single attempts by their ids, and all of one subject."""
    dropped = sign_in_attempt.c.id.in_(list(ids)) | (sign_in_attempt.c.subject == subject)
    connection.execute(delete(sign_in_attempt).where(dropped))


def forget_attempts_before(connection: Connection, moment: utc_after) -> None:
    """Drop what is too old to count."""
    connection.execute(delete(sign_in_attempt).where(sign_in_attempt.c.attempted_at <= moment))


def _person(connection: Connection, wanted: ColumnElement[bool]) -> tuple[Person, str] | None:
    row: Row[Any] | None = connection.execute(_PERSON.where(wanted)).one_or_none()
    if row is None:
        return None
    owner = Station(row.station_id, row.name, row.export_threshold)
    stamp = hashlib.sha256(row.password_hash.encode()).hexdigest()[:16]
    return Person(row.id, row.username, row.display_name, owner, stamp), row.password_hash
