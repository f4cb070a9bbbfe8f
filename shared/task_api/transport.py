"""Carries a call of the task API over HTTP and raises the errors that the server raised."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import urlencode

from shared.errors import PlatformError, Unavailable, from_wire
from shared.task_api.internal_http import InternalHttp, Method
from shared.web import strict_json

__all__ = ["HttpTransport", "Method", "Transport", "unwrap"]


class Transport(Protocol):
    """How a client reaches a service whose answers are envelopes."""

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """Return the envelope's data.

        Raises:
            PlatformError: the class that the server raised; Unavailable when it can't be reached.
        """
        ...


class HttpTransport:
    """Speaks to an internal API with the service key or signed with it; see `InternalHttp`."""

    def __init__(
        self,
        base_url: str,
        auth_key: str,
        timeout_seconds: float = 5.0,
        what: str = "task service",
        *,
        signed: bool = False,
    ) -> None:
        self._http = InternalHttp(base_url, auth_key, timeout_seconds, what, signed=signed)

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """See `Transport.call`."""
        query = urlencode(parameters, doseq=True) if method == "GET" else ""
        body = strict_json.dumps(parameters).encode() if method == "POST" else b""
        response = self._http.send(method, f"{path}?{query}" if query else path, body)
        return unwrap(response.status, response.data)


def unwrap(status: int, body: bytes) -> Any:
    """Return the data of an envelope, or raise its error."""
    try:
        envelope = strict_json.loads(body, max_depth=2 * strict_json.MAX_DEPTH)
        code, data = envelope["code"], envelope["data"]
    except (ValueError, KeyError, TypeError) as error:
        # A proxy or a dying server answered instead of the service.
        raise Unavailable(what="service") if status >= 500 else PlatformError(error_id=f"http {status}") from error
    if code == 0:
        return data
    raise from_wire(code, data if isinstance(data, dict) else {})
