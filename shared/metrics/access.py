"""Who may read metrics: holders of a key, and without one only this machine itself."""

from __future__ import annotations

import hmac
import ipaddress
from typing import Protocol

from shared.settings import CommonSettings

# A proxy on this machine passes on what comes from elsewhere, and says so in one of these.
FORWARDING_HEADERS = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


class Headers(Protocol):
    """Headers of a request, whose names are found in any case."""

    def get(self, key: str, default: str, /) -> str:
        """Return one header."""
        ...

    def __contains__(self, key: str, /) -> bool: ...


def may_read_metrics(settings: CommonSettings, peer: str, headers: Headers) -> bool:
    """Tell whether the asker at address `peer` may read.

    GM_METRICS_KEY opens as a bearer token, the service key in X-Auth-Key. Where no GM_METRICS_KEY is set, a peer on
    loopback that no proxy speaks for needs neither.
    """
    metrics_key = settings.metrics_key.get_secret_value() if settings.metrics_key else ""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if metrics_key and scheme.lower() == "bearer" and _is_one_of(token.strip(), [metrics_key]):
        return True
    if _is_one_of(headers.get("X-Auth-Key", ""), settings.accepted_keys()):
        return True
    return not metrics_key and is_loopback(peer) and not any(name in headers for name in FORWARDING_HEADERS)


def is_loopback(address: str) -> bool:
    """Tell whether an IP address is this machine's own; a text that is none is not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def _is_one_of(offered: str, keys: list[str]) -> bool:
    given = offered.encode("utf-8", "surrogateescape")
    return any(hmac.compare_digest(given, key.encode()) for key in keys)
