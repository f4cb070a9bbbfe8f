"""Carries a call of the task API over HTTP and raises the errors that the server raised."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import requests

from shared.context import REQUEST_ID_HEADER, current_request_id
from shared.errors import PlatformError, Unavailable, from_wire
from shared.signing.signature import HEADER
from shared.signing.signer import CallSigner
from shared.web import strict_json

Method = Literal["GET", "POST"]


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

    Sends each call once: who calls again calls anew, with a signature of its own. Make one per process, after forking.
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
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._what = what
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between our own services
        if signed:
            self._session.auth = CallSigner(auth_key)
        else:
            self._session.headers[HEADER] = auth_key
        self._session.headers["Content-Type"] = "application/json"

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """See `Transport.call`."""
        request_id = current_request_id()
        try:
            response = self._session.request(
                method,
                self._base_url + path,
                params=parameters if method == "GET" else None,
                data=strict_json.dumps(parameters).encode() if method == "POST" else None,
                headers={REQUEST_ID_HEADER: request_id} if request_id else None,
                timeout=(2.0, self._timeout_seconds),
                allow_redirects=False,  # the key goes nowhere but where the settings say
            )
            return unwrap(response.status_code, response.content)
        except requests.RequestException as error:
            raise Unavailable(what=self._what) from error


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
