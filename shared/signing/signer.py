"""Signs what is about to be sent."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from shared.signing.signature import Call, sign


class CallSigner:
    """Makes a fresh signature for each request: a new time and a new nonce, so a call tried again is another call."""

    def __init__(self, auth_key: str, clock: Callable[[], float] = time.time) -> None:
        self._auth_key = auth_key
        self._clock = clock

    def sign(self, call: Call, body: bytes) -> str:
        """Return the header's value for a call, as it will stand on the wire."""
        signature = sign(self._auth_key, call, body, timestamp=int(self._clock()), nonce=secrets.token_hex(16))
        return signature.to_header()
