"""Signs what `requests` is about to send."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from requests import PreparedRequest
from requests.auth import AuthBase

from shared.signing.signature import HEADER, Call, sign


class CallSigner(AuthBase):
    """Puts a fresh signature on each request: a new time and a new nonce, so a call tried again is another call."""

    def __init__(self, auth_key: str, clock: Callable[[], float] = time.time) -> None:
        self._auth_key = auth_key
        self._clock = clock

    def __call__(self, prepared: PreparedRequest) -> PreparedRequest:
        """Sign the request, whose address, headers and body are settled by now."""
        body = prepared.body or b""
        call = Call(
            method=prepared.method or "",
            target=prepared.path_url,
            content_type=str(prepared.headers.get("Content-Type", "")),
        )
        signature = sign(
            self._auth_key,
            call,
            body.encode() if isinstance(body, str) else body,
            timestamp=int(self._clock()),
            nonce=secrets.token_hex(16),
        )
        prepared.headers[HEADER] = signature.to_header()
        return prepared
