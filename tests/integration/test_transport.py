"""Calls of internal APIs over real sockets: what is sent, and what every way of going wrong becomes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shared.context import bound
from shared.errors import PlatformError, TaskNotFound, Unavailable
from shared.task_api.transport import HttpTransport

KEY = "k" * 40


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked; some paths go wrong in a way of their own."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        if self.path == "/silent":
            self.server.silence.wait(10)  # type: ignore[attr-defined]
        status, text = {
            "/elsewhere": (302, b""),
            "/proxy": (502, b"<html>bad gateway</html>"),
            "/page": (200, b"<html></html>"),
            "/unknown": (404, b'{"code": 40401, "msg": "x", "data": null}'),
            "/half": (200, b'{"code": 0,'),
        }.get(self.path, (200, self._echo(body)))
        self.send_response(status)
        self.send_header("Location", "/anywhere")
        self.send_header("Content-Length", str(len(text) + (self.path == "/half")))
        self.end_headers()
        self.wfile.write(text)
        self.close_connection = self.path == "/half"

    def _echo(self, body: bytes) -> bytes:
        names = ("X-Auth-Key", "X-Request-Id", "Content-Type")
        said = [self.command, self.path, body.decode(), *(str(self.headers[name]) for name in names)]
        return b'{"code": 0, "msg": "ok", "data": "%s"}' % "|".join(said).replace('"', "'").encode()

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    server.block_on_close = False
    server.silence = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.silence.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_call_carries_key_request_id_and_json(url: str) -> None:
    transport = HttpTransport(url + "/base/", KEY)

    with bound(request_id="req-1"):
        said = transport.call("POST", "/task/x", {"a": [1, "ü"]})

    assert said == f"POST|/base/task/x|{{'a':[1,'ü']}}|{KEY}|req-1|application/json"


def test_a_query_repeats_the_name_of_a_list(url: str) -> None:
    said = HttpTransport(url, KEY).call("GET", "/task/x", {"task_ids": [1, 2], "brief": True, "name": "a&b ü"})

    assert said.split("|")[:3] == ["GET", "/task/x?task_ids=1&task_ids=2&brief=True&name=a%26b+%C3%BC", ""]


@pytest.mark.parametrize(
    ("path", "raised"),
    [
        ("/unknown", TaskNotFound),
        ("/proxy", Unavailable),
        ("/page", PlatformError),
        ("/elsewhere", PlatformError),
        ("/half", Unavailable),
        ("/silent", Unavailable),
    ],
)
def test_what_goes_wrong_is_an_error_of_ours(url: str, path: str, raised: type[PlatformError]) -> None:
    transport = HttpTransport(url, KEY, timeout_seconds=0.2)

    with pytest.raises(PlatformError) as caught:
        transport.call("POST", path, {})

    assert type(caught.value) is raised


def test_nobody_there_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        transport = HttpTransport(f"http://127.0.0.1:{taken.getsockname()[1]}", KEY)

        with pytest.raises(Unavailable):
            transport.call("GET", "/task/get", {"task_id": 1})
