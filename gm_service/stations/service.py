"""Who may come in: stations, their people by password, their programs by token, with bounded attempts."""

from __future__ import annotations

import hashlib
import math
import secrets
from datetime import timedelta
from functools import cache

import structlog
from sqlalchemy.engine import Connection, Engine
from werkzeug.security import check_password_hash, generate_password_hash

from gm_service.stations import store
from gm_service.stations.models import Person, Station
from shared.database import DatabaseClock, in_read, in_write
from shared.errors import SignInFailed, TooManyRequests

log = structlog.get_logger(__name__)

MAX_USER_ATTEMPTS = 10
"""failed sign-ins that one station's user may meet within the window"""
MAX_ADDRESS_ATTEMPTS = 100
"""failed sign-ins that one address may make within the window; a whole office may share one"""
ATTEMPT_WINDOW_SECONDS = 300
TOKEN_BYTES = 32
_PASSWORD = ("user", "address")
_OPERATOR_KEY = ("operator", "operator_address")
_BLOCKED = {_PASSWORD: "sign_in_blocked", _OPERATOR_KEY: "profile_blocked"}


class StationService:
    """Keeps stations and tells who is who.

    Raises (all): Unavailable when the database is away.
    """

    def __init__(self, engine: Engine, clock: DatabaseClock | None = None) -> None:
        self._engine = engine
        self._clock = clock or DatabaseClock()

    def create_station(self, station_id: str, name: str, export_threshold: int | None = None) -> Station:
        """Make a station; made again, it gets the new name and threshold."""
        created = Station(station_id, name, export_threshold)
        in_write(self._engine, lambda connection: store.save_station(connection, created))
        return created

    def add_user(self, station_id: str, username: str, password: str, display_name: str = "") -> None:
        """Add a person to a station; added again, the person gets the new name and password."""
        known = in_read(self._engine, lambda connection: store.find_user(connection, station_id, username))
        # The same password keeps its hash, so that adding again signs nobody out.
        unchanged = known is not None and check_password_hash(known[1], password)
        hashed = known[1] if known and unchanged else generate_password_hash(password, method="scrypt")
        shown = display_name or username
        in_write(self._engine, lambda connection: store.save_user(connection, station_id, username, shown, hashed))

    def issue_token(self, station_id: str, name: str, token: str | None = None) -> str:
        """Give a station's program a token and return it; the token it had under that name stops working."""
        issued = token or secrets.token_urlsafe(TOKEN_BYTES)
        hashed = _hash(issued)
        in_write(
            self._engine,
            lambda connection: store.save_token(connection, hashed, station_id, name, self._clock.now()),
        )
        return issued

    def sign_in(self, station_id: str, username: str, password: str, address: str = "") -> Person:
        """Return the person that a password proves.

        It takes as long for a user who doesn't exist as for one who does.

        Raises:
            SignInFailed: whichever of the three is wrong.
            TooManyRequests: too many failures for this user or from this address.
        """
        attempt = self._open_attempt(_PASSWORD, station_id, username, address)
        found = in_read(self._engine, lambda connection: store.find_user(connection, station_id, username))
        matches = check_password_hash(found[1] if found else _dummy_hash(), password)
        if found is None or not matches:
            log.info("sign_in_failed", station_id=station_id, username=username, address=address)
            raise SignInFailed()
        in_write(self._engine, lambda connection: store.forget_attempts(connection, attempt, _user(found[0])))
        log.info("signed_in", station_id=station_id, username=username, address=address)
        return found[0]

    def count_operator_attempt(self, person: Person, address: str, *, is_right: bool) -> None:
        """Count a person's attempt at the operator's key, within the same bounds as those at passwords.

        Raises:
            TooManyRequests: too many wrong ones before, whatever this one is.
        """
        attempt = self._open_attempt(_OPERATOR_KEY, person.station.id, person.username, address)
        if is_right:
            subject = _subject(_OPERATOR_KEY[0], person.station.id, person.username)
            in_write(self._engine, lambda connection: store.forget_attempts(connection, attempt, subject))

    def open_session(self, person: Person, seconds: float) -> str:
        """Start a session that ends by itself after `seconds`; return its key, which only the browser keeps."""
        key = secrets.token_urlsafe(TOKEN_BYTES)

        def work(connection: Connection) -> None:
            store.forget_sessions_before(connection, self._clock.now())
            store.add_session(connection, _hash(key), person.user_id, self._clock.after(seconds))

        in_write(self._engine, work)
        return key

    def close_session(self, key: str) -> None:
        """End a session for every copy of its cookie; ended already, it stays so."""
        in_write(self._engine, lambda connection: store.end_session(connection, _hash(key)))

    def find_person(self, session_key: str, password_stamp: str) -> Person | None:
        """Return the person of a session; None once it is over, or the person is gone or has another password."""
        hashed, now = _hash(session_key), self._clock.now()
        found = in_read(self._engine, lambda connection: store.find_user_of_session(connection, hashed, now))
        return found[0] if found and found[0].password_stamp == password_stamp else None

    def station_of_token(self, token: str) -> Station | None:
        """Return the station whose token this is, None for anything else."""
        hashed = _hash(token)
        return in_read(self._engine, lambda connection: store.find_station_of_token(connection, hashed))

    def _open_attempt(self, kinds: tuple[str, str], station_id: str, username: str, address: str) -> list[int]:
        """Hold the attempt against user and address before it is answered, so that none slips by."""
        of_user, of_address = kinds
        limits = {
            _subject(of_user, station_id, username): MAX_USER_ATTEMPTS,
            _subject(of_address, address): MAX_ADDRESS_ATTEMPTS,
        }
        now, since = self._clock.now(), self._clock.after(-ATTEMPT_WINDOW_SECONDS)

        def work(connection: Connection) -> list[int] | timedelta:
            ages = [store.find_age_of_blocking(connection, *each, since, now) for each in limits.items()]
            blocking = [age for age in ages if age is not None]
            if blocking:
                return min(blocking)
            store.forget_attempts_before(connection, since)
            return [store.add_attempt(connection, subject, now) for subject in limits]

        attempt = in_write(self._engine, work)
        if isinstance(attempt, timedelta):
            log.warning(_BLOCKED[kinds], station_id=station_id, username=username, address=address)
            left = ATTEMPT_WINDOW_SECONDS - attempt.total_seconds()
            raise TooManyRequests(retry_after_seconds=max(1, math.ceil(left)))
        return attempt


def _user(person: Person) -> str:
    return _subject("user", person.station.id, person.username)


def _subject(*parts: str) -> str:
    # Hashed, so that whatever was typed fits the column and stands nowhere in the clear.
    return _hash("\n".join(parts))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _dummy_hash() -> str:
    return generate_password_hash(secrets.token_urlsafe(16), method="scrypt")
