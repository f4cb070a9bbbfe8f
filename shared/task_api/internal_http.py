"""Requests between our own services, with the service key or signed with it.

By urllib3 itself: requests around it took three times the CPU time of a call.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

import urllib3

from shared.context import REQUEST_ID_HEADER, current_request_id
from shared.errors import Unavailable
from shared.profiling.present import headers_to_pass
from shared.signing.signature import HEADER, Call
from shared.signing.signer import CallSigner

Method = Literal["GET", "POST"]
CONNECT_SECONDS = 2.0
_CONTENT_TYPE = "application/json"
_KEPT_CONNECTIONS = 16
"""more than a web process has threads"""


class InternalHttp:
    """Keeps its connections to one service, always with a timeout. Make one per process, after forking.

    Sends each request once: who calls again calls anew, with a signature of its own.
    """

    def __init__(self, base_url: str, auth_key: str, timeout_seconds: float, what: str, *, signed: bool) -> None:
        self._path = urlsplit(base_url).path.rstrip("/")
        self._what = what
        self._prove = CallSigner(auth_key).sign if signed else lambda _call, _body: auth_key
        # No proxy between our own services, and nobody elsewhere is followed with the key.
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=timeout_seconds)
        self._pool = urllib3.connection_from_url(base_url, maxsize=_KEPT_CONNECTIONS, timeout=timeout, retries=False)

    def send(
        self, method: Method, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        """Return the answer to a request; `path` has the query too, as it stands on the wire.

        Raises:
            Unavailable: the service can't be reached, or does not answer in time.
        """
        target = self._path + path
        proof = {HEADER: self._prove(Call(method, target, _CONTENT_TYPE), body), "Content-Type": _CONTENT_TYPE}
        request_id = current_request_id()
        caused_by = {REQUEST_ID_HEADER: request_id} if request_id else {}
        caused_by |= headers_to_pass()
        try:
            return self._pool.urlopen(
                method, target, body=body or None, headers={**(headers or {}), **caused_by, **proof}, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(what=self._what) from error
