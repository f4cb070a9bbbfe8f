"""Who is asking: the station of a session cookie or of a bearer token, never of a parameter.

A request that changes something with a cookie must carry the session's CSRF token; bearer tokens are sent by
programs only, so they need none.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from flask import g, request, session

from gm_service.stations.models import Person, Station
from gm_service.stations.service import StationService
from shared.errors import CsrfRefused, Unauthorized

__all__ = ["Authenticator", "Caller", "Station"]

CSRF_HEADER = "X-CSRF-Token"
STATION_HEADER = "X-Station-Id"
"""The station that a page was opened for: the browser's session may have become another one's in another tab since."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """A person with a session, or a program with a token (then `person` and `csrf_token` are None)."""

    station: Station
    person: Person | None = None
    csrf_token: str | None = None


class Authenticator:
    """Reads the credential of the present request, once."""

    def __init__(self, stations: StationService, session_seconds: float) -> None:
        self._stations = stations
        self._session_seconds = session_seconds

    def require_station(self) -> Station:
        """Return the station that the request's credential belongs to.

        Raises:
            Unauthorized: no credential, or a wrong one.
            CsrfRefused: a session wants to change something without its CSRF token.
        """
        return self.require_caller().station

    def require_station_to_act(self) -> Station:
        """Return the station as `require_station` does, for endpoints whose GET starts something.

        A link on another site makes the browser send the session along, so a person's GET must come from our
        own pages, from the address bar, or with the session's CSRF token.

        Raises:
            Unauthorized, CsrfRefused: see `require_station`.
        """
        caller = self.require_caller()
        if caller.csrf_token is not None and not _is_from_here():
            _check_csrf(caller.csrf_token)
        return caller.station

    def require_caller(self) -> Caller:
        """Return who is asking, with the same refusals as `require_station`."""
        caller = self.find_caller()
        if caller is None:
            raise Unauthorized()
        if caller.csrf_token is not None and request.method not in _SAFE_METHODS:
            _check_csrf(caller.csrf_token)
        return caller

    def find_username(self) -> str | None:
        """Return the name of the person who asks, None for a program."""
        caller = self.find_caller()
        return caller.person.username if caller and caller.person else None

    def find_caller(self) -> Caller | None:
        """Return who is asking, None for nobody; a wrong token is nobody even beside a good cookie."""
        if "caller" not in g:
            header = request.headers.get("Authorization")
            g.caller = self._caller_of_session() if header is None else self._caller_of_header(header)
        caller: Caller | None = g.caller
        return caller

    def open_session(self, person: Person) -> Caller:
        """Start a session for a person who proved a password; an earlier one of this browser ends."""
        self.close_session()
        session.permanent = True
        token = secrets.token_urlsafe(32)
        key = self._stations.open_session(person, self._session_seconds)
        session.update(key=key, stamp=person.password_stamp, csrf_token=token)
        caller = Caller(person.station, person, token)
        g.caller = caller
        return caller

    def close_session(self) -> None:
        """End the session of this browser, and of whoever copied its cookie."""
        if "key" in session:
            self._stations.close_session(session["key"])
        session.clear()
        g.caller = None

    def _caller_of_header(self, header: str) -> Caller | None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return None
        station = self._stations.station_of_token(token.strip())
        return Caller(station) if station else None

    def _caller_of_session(self) -> Caller | None:
        if "key" not in session:
            return None
        person = self._stations.find_person(session["key"], session["stamp"])
        if person is None or request.headers.get(STATION_HEADER, person.station.id) != person.station.id:
            return None
        return Caller(person.station, person, session["csrf_token"])


def _is_from_here() -> bool:
    # Browsers leave the header out on plain http beyond this machine, and programs with a cookie always do.
    return request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none")


def _check_csrf(expected: str) -> None:
    offered = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(offered.encode("utf-8", "surrogateescape"), expected.encode()):
        raise CsrfRefused()
