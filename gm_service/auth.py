"""Who is asking: the station of a session cookie or of a bearer token, never of a parameter.

Blueprints call `require_station()`; a request that changes something with a cookie must carry the CSRF token.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from flask import g, request, session

from gm_service.parts import parts
from gm_service.stations.models import Person, Station
from shared.errors import CsrfRefused, Unauthorized

__all__ = ["Caller", "Station", "close_session", "find_caller", "open_session", "require_caller", "require_station"]

CSRF_HEADER = "X-CSRF-Token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """A person with a session, or a program with a token (then `person` and `csrf_token` are None)."""

    station: Station
    person: Person | None = None
    csrf_token: str | None = None


def require_station() -> Station:
    """Return the station that the request's credential belongs to.

    Raises:
        Unauthorized: no credential, or a wrong one.
        CsrfRefused: a session wants to change something without its CSRF token.
    """
    return require_caller().station


def require_caller() -> Caller:
    """Return who is asking, with the same refusals as `require_station`."""
    caller = find_caller()
    if caller is None:
        raise Unauthorized()
    if caller.csrf_token is not None and request.method not in _SAFE_METHODS:
        _check_csrf(caller.csrf_token)
    return caller


def find_caller() -> Caller | None:
    """Return who is asking, None for nobody; a wrong token is nobody even beside a good cookie."""
    if "caller" not in g:
        header = request.headers.get("Authorization")
        g.caller = _caller_of_session() if header is None else _caller_of_header(header)
    caller: Caller | None = g.caller
    return caller


def open_session(person: Person) -> Caller:
    """Start a session of its own for a person who proved a password; nothing of an earlier one is kept."""
    session.clear()
    session.permanent = True
    session["user_id"] = person.user_id
    session["stamp"] = person.password_stamp
    session["csrf_token"] = secrets.token_urlsafe(32)
    g.caller = Caller(person.station, person, session["csrf_token"])
    caller: Caller = g.caller
    return caller


def close_session() -> None:
    """Forget the session of this browser."""
    session.clear()
    g.caller = None


def _caller_of_header(header: str) -> Caller | None:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    station = parts().stations.station_of_token(token.strip())
    return Caller(station) if station else None


def _caller_of_session() -> Caller | None:
    if "user_id" not in session:
        return None
    person = parts().stations.find_person(session["user_id"], session["stamp"])
    return Caller(person.station, person, session["csrf_token"]) if person else None


def _check_csrf(expected: str) -> None:
    offered = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(offered.encode("utf-8", "surrogateescape"), expected.encode()):
        raise CsrfRefused()
