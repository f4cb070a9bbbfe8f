"""Puts a `Transport` (such as the fake task API) behind loopback HTTP, for processes that a test starts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shared.envelope import failure, success
from shared.errors import PlatformError
from shared.task_api.transport import Transport
from shared.web import strict_json


@contextmanager
def serve(transport: Transport) -> Iterator[str]:
    """Serve until the block ends; yields the base address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("GET", dict(parse_qsl(urlsplit(self.path).query)))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer("POST", strict_json.loads(raw))

        def _answer(self, method: Any, parameters: dict[str, Any]) -> None:
            try:
                status, envelope = 200, success(transport.call(method, urlsplit(self.path).path, parameters))
            except PlatformError as error:
                status, envelope = error.status, failure(error, "en")
            body = strict_json.dumps(envelope).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
