"""Carries a call of the task API over HTTP and raises the errors that the server raised."""

from __future__ import annotations

from typing import Any, Literal, Protocol
from urllib.parse import urlencode, urlsplit

import urllib3

from shared.context import REQUEST_ID_HEADER, current_request_id
from shared.errors import PlatformError, Unavailable, from_wire
from shared.signing.signature import HEADER, Call
from shared.signing.signer import CallSigner
from shared.web import strict_json

Method = Literal["GET", "POST"]
CONNECT_SECONDS = 2.0
_CONTENT_TYPE = "application/json"
_KEPT_CONNECTIONS = 16
"""more than a web process has threads"""


class Transport(Protocol):
    """How a client reaches a service whose answers are envelopes."""

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """Return the envelope's data.

        Raises:
            PlatformError: the class that the server raised; Unavailable when it can't be reached.
        """
        ...


class HttpTransport:
    """Speaks to an internal API with the service key or signed with it; keeps its connections, always with a timeout.

    Sends each call once: who calls again calls anew, with a signature of its own. By urllib3 itself: requests around it
    took three times the CPU time of a call. Make one per process, after forking.
    """

    def __init__(
        self,
        base_url: str,
        auth_key: str,
        timeout_seconds: float = 5.0,
        what: str = "task service",
        *,
        signed: bool = False,
    ) -> None:
        self._path = urlsplit(base_url).path.rstrip("/")
        self._what = what
        self._prove = CallSigner(auth_key).sign if signed else lambda _call, _body: auth_key
        # No proxy between our own services; each call is sent once, and follows nobody elsewhere with the key.
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=timeout_seconds)
        self._pool = urllib3.connection_from_url(base_url, maxsize=_KEPT_CONNECTIONS, timeout=timeout, retries=False)

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """See `Transport.call`."""
        query = urlencode(parameters, doseq=True) if method == "GET" else ""
        target = f"{self._path}{path}?{query}" if query else self._path + path
        body = strict_json.dumps(parameters).encode() if method == "POST" else b""
        try:
            response = self._pool.urlopen(
                method,
                target,
                body=body or None,
                headers=self._headers(method, target, body),
                redirect=False,
                retries=False,
            )
            return unwrap(response.status, response.data)
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(what=self._what) from error

    def _headers(self, method: Method, target: str, body: bytes) -> dict[str, str]:
        proof = self._prove(Call(method, target, _CONTENT_TYPE), body)
        headers = {HEADER: proof, "Content-Type": _CONTENT_TYPE}
        request_id = current_request_id()
        return headers | {REQUEST_ID_HEADER: request_id} if request_id else headers


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
