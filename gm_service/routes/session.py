"""/session: sign in with a password, ask who is signed in, sign out."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, after_this_request, current_app, request
from pydantic import BaseModel

from gm_service.auth import Authenticator, Caller
from gm_service.commands import Nothing, SignIn
from gm_service.stations.service import StationService
from shared.envelope import Envelope, success
from shared.errors import MalformedRequest
from shared.web.params import takes

STATION_COOKIE = "gm_station"
"""Tells nginx which station asks, so that it can lead some stations to a new release. Nothing is permitted by it."""


class SessionData(BaseModel):
    """Who is signed in; a program with a token has no user name and needs no CSRF token."""

    station_id: str
    station_name: str
    username: str | None
    time_zone: str
    """that times are shown in"""
    csrf_token: str | None
    """to be sent as X-CSRF-Token with whatever changes something"""


class SessionAnswer(Envelope[SessionData]):
    """Who is signed in."""


class SignedOutAnswer(Envelope[None]):
    """Nobody is signed in any more."""


def session_routes(auth: Authenticator, stations: StationService, time_zone: str) -> APIBlueprint:
    """Return the blueprint of /session."""
    routes = APIBlueprint("session", __name__, tag="Session")

    @routes.before_request
    def _only_json_signs_in() -> None:
        # Another site's form can send anything but JSON: it must not sign a person in to a station of its choice.
        # And a password in an address ends up in histories and logs.
        signing_in = request.method == "POST" and request.path == "/session"
        if signing_in and (request.mimetype != "application/json" or request.query_string):
            raise MalformedRequest(problem="sign in with a JSON body (Content-Type: application/json) and no query")

    @routes.post("/session")
    @takes(SignIn, answers=SessionAnswer)
    def sign_in(command: SignIn) -> dict[str, Any]:
        """Sign in as a person of a station."""
        person = stations.sign_in(
            command.station_id, command.username, command.password, address=request.remote_addr or ""
        )
        caller = auth.open_session(person)
        _hint_station(caller.station.id)
        return success(_wire(caller, time_zone))

    @routes.get("/session")
    @takes(Nothing, answers=SessionAnswer, location="query")
    def get_session(command: Nothing) -> dict[str, Any]:  # noqa: ARG001 refuses parameters, has none
        """Tell who is signed in."""
        return success(_wire(auth.require_caller(), time_zone))

    @routes.delete("/session")
    @takes(Nothing, answers=SignedOutAnswer, location="query")
    def sign_out(command: Nothing) -> dict[str, Any]:  # noqa: ARG001 refuses parameters, has none
        """Sign out."""
        return _sign_out(auth)

    @routes.post("/session/end")
    @takes(Nothing, answers=SignedOutAnswer)
    def end_session(command: Nothing) -> dict[str, Any]:  # noqa: ARG001 refuses parameters, has none
        """Sign out, for callers without DELETE."""
        return _sign_out(auth)

    return routes


def _sign_out(auth: Authenticator) -> dict[str, Any]:
    auth.require_caller()
    auth.close_session()
    _hint_station(None)
    return success()


def _hint_station(station_id: str | None) -> None:
    """Leave the station's id beside the session, which nginx can't read, or take it away."""

    @after_this_request
    def set_cookie(response: Response) -> Response:
        config = current_app.config
        response.set_cookie(
            STATION_COOKIE,
            station_id or "",
            max_age=config["PERMANENT_SESSION_LIFETIME"] if station_id else 0,
            secure=config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite=config["SESSION_COOKIE_SAMESITE"],
        )
        return response


def _wire(caller: Caller, time_zone: str) -> dict[str, Any]:
    return SessionData(
        station_id=caller.station.id,
        station_name=caller.station.name,
        username=caller.person.username if caller.person else None,
        time_zone=time_zone,
        csrf_token=caller.csrf_token,
    ).model_dump(mode="json")
