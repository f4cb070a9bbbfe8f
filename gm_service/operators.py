"""Operators on the pages: signed-in people who gave the operator's key (GM_PROFILE_KEY) in their present session.

The session holds a keyed hash that only this service can make, so that the key is in no cookie; it ends with the
session, and when either key changes.
"""

from __future__ import annotations

import hashlib
import hmac

import structlog
from flask import session

from gm_service.auth import Authenticator
from gm_service.config import ServiceSettings
from gm_service.stations.models import Person
from gm_service.stations.service import StationService
from shared.errors import Forbidden
from shared.profiling.store import ProfileStore
from shared.profiling.switch import limits_of

log = structlog.get_logger(__name__)
_SESSION_FIELD = "operator"


class Operators:
    """Tells who is an operator; `store` is what they may look into."""

    def __init__(
        self, auth: Authenticator, stations: StationService, store: ProfileStore, *, key: str, secret: str
    ) -> None:
        self.store = store
        self._auth = auth
        self._stations = stations
        self._key = key
        self._secret = secret

    def enter(self, offered: str, address: str) -> None:
        """Make the signed-in person an operator until the session ends.

        Raises:
            Forbidden: the key is wrong, or a program asks.
            TooManyRequests: too many wrong keys of this person or from this address.
        """
        person = self._find_person()
        if person is None:
            raise Forbidden()
        is_right = hmac.compare_digest(offered.encode(), self._key.encode())
        self._stations.count_operator_attempt(person, address, is_right=is_right)
        told = {"station_id": person.station.id, "username": person.username, "address": address}
        if not is_right:
            log.warning("profile_refused", **told)
            raise Forbidden()
        session[_SESSION_FIELD] = self._proof()
        log.info("operator_entered", **told)

    def is_operator(self) -> bool:
        """Tell whether the person who asks is one."""
        if self._find_person() is None:
            return False
        return hmac.compare_digest(str(session.get(_SESSION_FIELD, "")).encode(), self._proof().encode())

    def require_operator(self) -> None:
        """Refuse everybody else.

        Raises:
            Forbidden: the person who asks is none.
        """
        if not self.is_operator():
            raise Forbidden()

    def _find_person(self) -> Person | None:
        caller = self._auth.find_caller()
        return caller.person if caller else None

    def _proof(self) -> str:
        told = f"operator\n{self._key}\n{session['key']}"
        return hmac.new(self._secret.encode(), told.encode(), hashlib.sha256).hexdigest()


def operators_of(settings: ServiceSettings, auth: Authenticator, stations: StationService) -> Operators | None:
    """Return who may profile; None where the settings have no folder or no key."""
    key = settings.profile_key.get_secret_value() if settings.profile_key else ""
    if settings.profile_dir is None or not key:
        return None
    store = ProfileStore(settings.profile_dir, limits_of(settings))
    return Operators(auth, stations, store, key=key, secret=settings.service_secret_key.get_secret_value())
