"""/healthz, /readyz and /metrics of a process that serves nothing else: the keeper, a worker's parent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog

from shared.envelope import failure, success
from shared.errors import NotFound, PlatformError, Unauthorized, Unavailable
from shared.health import Health
from shared.metrics.access import may_read_metrics
from shared.metrics.binding import parse_bind
from shared.metrics.exposition import CONTENT_TYPE, Exposition
from shared.settings import CommonSettings
from shared.web import strict_json

log = structlog.get_logger(__name__)
_BIND_AGAIN_SECONDS = 2.0
_JSON = "application/json"
Answer = tuple[int, str, bytes]


class Endpoint:
    """Serves from threads of its own at the first of its ports that is free; is none, they are tried again."""

    def __init__(
        self, bind: str, settings: CommonSettings, judge: Callable[[], Health], exposition: Exposition
    ) -> None:
        """`bind` is host:port, host:first-last, [::1]:port, or empty for no endpoint at all.

        Raises:
            ValueError: it is none of these.
        """
        self._addresses = parse_bind(bind)
        self._settings = settings
        self._judge = judge
        self._exposition = exposition
        self._stopping = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Begin to serve."""
        if self._addresses:
            threading.Thread(target=self._serve, name="endpoint", daemon=True).start()

    def stop(self) -> None:
        """Serve no more."""
        self._stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def close_inherited(self) -> None:
        """Close in a forked child the port that its parent serves: it must be free when the parent is gone."""
        if self._server is not None:
            self._server.socket.close()

    def answer(self, path: str, peer: str, headers: Any) -> Answer:
        """Return status, content type and body of a GET."""
        try:
            if path == "/metrics":
                if not may_read_metrics(self._settings, peer, headers):
                    raise Unauthorized()
                return 200, CONTENT_TYPE, self._exposition.text()
            return 200, _JSON, strict_json.dumps(success(self._health(path))).encode()
        except PlatformError as error:
            return error.status, _JSON, strict_json.dumps(failure(error, self._settings.language)).encode()

    def _health(self, path: str) -> dict[str, str]:
        if path not in ("/healthz", "/readyz"):
            raise NotFound()
        health, service = self._judge(), self._exposition.meters.service
        problem = health.sick or (health.missing if path == "/readyz" else "")
        if problem:
            raise Unavailable(what=service, missing={service: problem})
        return {"status": "ok"}

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._server = self._bind()
            if self._server is not None:
                self._server.serve_forever(poll_interval=0.5)
                return
            self._stopping.wait(_BIND_AGAIN_SECONDS)

    def _bind(self) -> ThreadingHTTPServer | None:
        for address in self._addresses:
            try:
                return _Server(address, _handler_of(self))
            except OSError as error:
                last, problem = address, error
        log.warning("endpoint_not_bound", bind=str(last), problem=str(problem))
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_port = False  # two workers at one port would each be asked now and then

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)


def _handler_of(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5
        server_version, sys_version = "gm", ""

        def do_GET(self) -> None:
            status, content_type, body = endpoint.answer(
                self.path.partition("?")[0], str(self.client_address[0]), self.headers
            )
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Asked for all day by machines; leave no line in the log."""

    return Handler
