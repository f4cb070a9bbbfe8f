"""A signed request in pieces, so that a test can change any of them after the signature was made."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from shared.signing.signature import HEADER, Call, sign
from shared.web import strict_json
from tests.support.async_task import AUTH_KEY

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """What goes over the wire; `headers` are the values of the key's header, usually one."""

    method: str
    target: str
    content_type: str
    body: bytes
    headers: tuple[str, ...] = ()

    def signed(
        self, key: str = AUTH_KEY, *, at: float | None = None, nonce: str | None = None, body: bytes | None = None
    ) -> Request:
        """Return it with a right signature of now, or one that is right but for what is given."""
        signature = sign(
            key,
            Call(self.method, self.target, self.content_type),
            self.body if body is None else body,
            timestamp=int(time.time() if at is None else at),
            nonce=secrets.token_hex(16) if nonce is None else nonce,
        )
        return replace(self, headers=(signature.to_header(),))

    @property
    def header(self) -> str:
        """The one header value."""
        (value,) = self.headers
        return value

    def with_header(self, *values: str) -> Request:
        """Return it with these values in place of its own."""
        return replace(self, headers=values)

    def send(self, app: Flask, **environ: Any) -> Response:
        """Give it to the application as gunicorn would, byte for byte."""
        path, _, query = self.target.partition("?")
        headers = Headers([(HEADER, value.encode("utf-8").decode("latin-1")) for value in self.headers])
        made = EnvironBuilder(data=self.body, headers=headers).get_environ() | {
            "REQUEST_METHOD": self.method,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.target.encode().decode("latin-1"),
            "CONTENT_TYPE": self.content_type,
            **environ,
        }
        body, status, answered = run_wsgi_app(app.wsgi_app, made, buffered=True)
        return Response(b"".join(body), status, answered)


def post(path: str, **parameters: Any) -> Request:
    """Return a POST of a JSON object, not yet signed."""
    return Request("POST", path, JSON, strict_json.dumps(parameters).encode())


def get(target: str) -> Request:
    """Return a GET, not yet signed."""
    return Request("GET", target, JSON, b"")
