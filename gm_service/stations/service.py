"""Who may come in: stations, their people by password, their programs by token, with bounded attempts."""

from __future__ import annotations

import hashlib
import secrets
from functools import cache

import structlog
from sqlalchemy.engine import Connection, Engine
from werkzeug.security import check_password_hash, generate_password_hash

from gm_service.stations import store
from gm_service.stations.models import Person, Station
from shared.database import DatabaseClock, in_read, in_write
from shared.errors import SignInFailed, TooManyRequests

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 10
"""failed sign-ins that one station's user, or one address, may make within the window"""
ATTEMPT_WINDOW_SECONDS = 300
TOKEN_BYTES = 32


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
        attempt = self._open_attempt(station_id, username, address)
        found = in_read(self._engine, lambda connection: store.find_user(connection, station_id, username))
        matches = check_password_hash(found[1] if found else _dummy_hash(), password)
        if found is None or not matches:
            log.info("sign_in_failed", station_id=station_id, username=username, address=address)
            raise SignInFailed()
        in_write(self._engine, lambda connection: store.forget_attempts(connection, attempt, _user(found[0])))
        log.info("signed_in", station_id=station_id, username=username, address=address)
        return found[0]

    def find_person(self, user_id: int, password_stamp: str) -> Person | None:
        """Return the person of a session; None once the person is gone or has another password."""
        found = in_read(self._engine, lambda connection: store.find_user_by_id(connection, user_id))
        return found[0] if found and found[0].password_stamp == password_stamp else None

    def station_of_token(self, token: str) -> Station | None:
        """Return the station whose token this is, None for anything else."""
        hashed = _hash(token)
        return in_read(self._engine, lambda connection: store.find_station_of_token(connection, hashed))

    def _open_attempt(self, station_id: str, username: str, address: str) -> list[int]:
        """Hold the attempt against user and address before the password is looked at, so that none slips by."""
        subjects = [_subject("user", station_id, username), _subject("address", address)]
        since = self._clock.after(-ATTEMPT_WINDOW_SECONDS)

        def work(connection: Connection) -> list[int]:
            if any(store.count_attempts(connection, subject, since) >= MAX_ATTEMPTS for subject in subjects):
                return []
            store.forget_attempts_before(connection, since)
            return [store.add_attempt(connection, subject, self._clock.now()) for subject in subjects]

        attempt = in_write(self._engine, work)
        if not attempt:
            log.warning("sign_in_blocked", station_id=station_id, username=username, address=address)
            raise TooManyRequests(retry_after_seconds=ATTEMPT_WINDOW_SECONDS)
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
