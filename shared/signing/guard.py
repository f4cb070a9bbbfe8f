"""Asks callers of internal endpoints for the service key, or for a signature made with it."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, Protocol

import structlog
from flask import request

from shared.errors import TooLarge, Unauthorized
from shared.settings import CommonSettings
from shared.signing.signature import HEADER, WINDOW_SECONDS, Call, Signature, claims_to_be_signed, identify, parse

log = structlog.get_logger(__name__)


class Nonces(Protocol):
    """Who knows which nonces were used."""

    def spend(self, nonce: str, timestamp: int) -> bool:
        """Take a nonce for good; False where it was taken before.

        Raises:
            Unavailable: that can't be told now.
        """
        ...


class CallGuard:
    """Lets the present request pass or refuses it; the answer never tells what was wrong, the log does."""

    def __init__(self, settings: CommonSettings, nonces: Nonces, clock: Callable[[], float] = time.time) -> None:
        self._bare_keys = settings.bare_keys()
        self._keys = {identify(key): key for key in settings.accepted_keys()}
        self._max_body_bytes = settings.max_batch_body_bytes
        self._nonces = nonces
        self._clock = clock

    def check(self) -> None:
        """Let holders of an accepted key pass.

        Raises:
            Unauthorized: whatever is wrong with the key or the signature.
            Unavailable: the signature is right, and the database that knows its nonce is away.
            TooLarge: the signature is right, and the body larger than any that is taken.
        """
        header = request.headers.get(HEADER, "")
        if claims_to_be_signed(header):
            self._check_signature(parse(header))
        elif not self._is_key(header):
            raise _refused("no accepted key")

    def _is_key(self, header: str) -> bool:
        offered = header.encode("utf-8", "surrogateescape")
        return any(hmac.compare_digest(offered, key.encode()) for key in self._bare_keys)

    def _check_signature(self, signature: Signature | None) -> None:
        """Go from what costs nothing to what costs most: nobody without a key has a body read or a nonce looked up."""
        if signature is None:
            raise _refused("header is not in the one form")
        key = self._keys.get(signature.key_id)
        if key is None:
            raise _refused("key is not known", key_id=signature.key_id)
        if not signature.is_by(key, _call()):
            raise _refused("signature does not fit the request", key_id=signature.key_id)
        behind_seconds = self._clock() - signature.timestamp
        if abs(behind_seconds) > WINDOW_SECONDS:
            raise _refused("clocks differ or the call is old", behind_seconds=round(behind_seconds))
        if not self._nonces.spend(signature.nonce, signature.timestamp):
            raise _refused("nonce was used before", key_id=signature.key_id)
        if not hmac.compare_digest(hashlib.sha256(self._read_body()).hexdigest(), signature.body_sha256):
            raise _refused("body is not the one that was signed", key_id=signature.key_id)

    def _read_body(self) -> bytes:
        """Return the body as it came; it is kept for whoever reads the parameters."""
        limit = self._max_body_bytes
        request.max_content_length = limit + 1  # a body without a length is cut at this without a word
        if (request.content_length or 0) > limit:
            raise TooLarge(what="request body", limit=f"{limit} bytes")
        body = request.get_data(cache=True)
        if len(body) > limit:
            raise TooLarge(what="request body", limit=f"{limit} bytes")
        return body


def _call() -> Call:
    """Return what a signature covers, as the server took it from the wire; WSGI's own PATH_INFO is decoded already."""
    target = _as_sent("RAW_URI") or _as_sent("REQUEST_URI")  # gunicorn's name for it, and uWSGI's
    return Call(method=request.environ["REQUEST_METHOD"], target=target, content_type=_as_sent("CONTENT_TYPE"))


def _as_sent(name: str) -> str:
    text: str = request.environ.get(name, "")  # PEP 3333: bytes as latin-1
    return text.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def _refused(why: str, **facts: Any) -> Unauthorized:
    log.warning("call_refused", why=why, **facts)
    return Unauthorized()
