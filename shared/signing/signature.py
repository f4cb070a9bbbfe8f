"""What a signature covers and how a header carries it; docs/task-api.md section 5 says the same in words.

Pure: who makes signatures brings the time and the nonce, who checks them asks the clock and the nonces elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, replace

HEADER = "X-Auth-Key"
SCHEME = "GM1-HMAC-SHA256"
WINDOW_SECONDS = 300
"""a signature is taken for so long before and after its time, by the server's clock"""

# One spelling only: what differs from it in a blank, a letter's case or the order is no signature.
_HEADER = re.compile(
    rf"{SCHEME} key=(?P<key_id>[0-9a-f]{{16}}), ts=(?P<timestamp>[1-9][0-9]{{0,10}}), "
    r"nonce=(?P<nonce>[A-Za-z0-9_-]{16,64}), body=(?P<body_sha256>[0-9a-f]{64}), sig=(?P<mac>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Call:
    """What is signed of a request, each part as it stands on the wire; the body comes as its hash."""

    method: str
    target: str
    """path and query string as the request line has them, not decoded"""
    content_type: str
    """empty where the header is missing"""


@dataclass(frozen=True, slots=True)
class Signature:
    """A header's parts. The hash of the body stands in it so that it can be judged before the body is read."""

    key_id: str
    timestamp: int
    """seconds since 1970"""
    nonce: str
    body_sha256: str
    mac: str

    def to_header(self) -> str:
        """Return the header's value."""
        return (
            f"{SCHEME} key={self.key_id}, ts={self.timestamp}, nonce={self.nonce}, "
            f"body={self.body_sha256}, sig={self.mac}"
        )

    def is_by(self, key: str, call: Call) -> bool:
        """Tell whether the holder of `key` signed this call, in a time that says nothing about the right answer."""
        return hmac.compare_digest(_mac(key, call, self), self.mac)


def sign(key: str, call: Call, body: bytes, *, timestamp: int, nonce: str) -> Signature:
    """Sign a call; `nonce` (16 to 64 letters, digits, `-` and `_`) must be one that was never used."""
    unsigned = Signature(identify(key), timestamp, nonce, hashlib.sha256(body).hexdigest(), mac="")
    return replace(unsigned, mac=_mac(key, call, unsigned))


def parse(header: str) -> Signature | None:
    """Return the signature that a header's value carries, None where it is none."""
    found = _HEADER.fullmatch(header)
    if found is None:
        return None
    return Signature(found["key_id"], int(found["timestamp"]), found["nonce"], found["body_sha256"], found["mac"])


def claims_to_be_signed(header: str) -> bool:
    """Tell a signature, right or wrong, from a bare key."""
    return header.startswith(SCHEME)


def identify(key: str) -> str:
    """Return the public name of a key, by which the server finds it among those it accepts."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _mac(key: str, call: Call, about: Signature) -> str:
    # No part can hold a line break, so two different calls never make the same text.
    lines = (
        SCHEME,
        about.key_id,
        str(about.timestamp),
        about.nonce,
        call.method,
        call.target,
        call.content_type,
        about.body_sha256,
    )
    text = "\n".join(lines).encode("utf-8", "surrogateescape")
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()
