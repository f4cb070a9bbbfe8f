"""Calls handlers without a job, while they are being written.

    python -m gm_task.call_handler /demo_api/hello '{"str_info": "hi"}'
    python -m gm_task.call_handler --serve 8002     # then: curl -d '{"str_info": "hi"}' 127.0.0.1:8002/demo_api/hello

Its settings GM_HANDLER_DIRS and GM_ENVIRONMENT come from the environment and `.env`, as the worker's do.
Serving is for development: anybody on this machine may call what it serves, so GM_ENVIRONMENT must be `development`.
"""

from __future__ import annotations

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import structlog
from pydantic_settings import BaseSettings

from gm_task import retstat
from gm_task.handling import BUILT_IN_HANDLERS, Answer, Handlers, Request
from shared.context import new_id
from shared.settings import FROM_ENVIRONMENT
from shared.web import strict_json

_MAX_BODY_BYTES = 2 * 1024 * 1024


class CallSettings(BaseSettings):
    """What of the worker's settings counts here: nothing else need be set where a handler is written."""

    model_config = FROM_ENVIRONMENT

    handler_dirs: list[Path] = []
    environment: str = "production"


def main(arguments: list[str]) -> int:
    """Call one handler, or serve them all; return the exit code."""
    settings = CallSettings()
    handlers = Handlers([*settings.handler_dirs, BUILT_IN_HANDLERS])
    match arguments:
        case ["--serve", port] if port.isdigit():
            return _serve(handlers, int(port), settings.environment)
        case [path] | [path, _]:
            body = arguments[1] if len(arguments) > 1 else "{}"
            answer = call(handlers, path, {}, body.encode(), os.environ.get("USER", "-"))
            sys.stdout.write(strict_json.dumps(answer.to_json()) + "\n")
            return 0 if answer.stat == retstat.OK else 1
    sys.stderr.write(__doc__ or "")
    return 2


def call(handlers: Handlers, path: str, query: dict[str, Any], body: bytes, username: str) -> Answer:
    """Call a handler with parameters from a query and a JSON body, which wins; whatever it raises is its answer."""
    try:
        given = strict_json.loads(body) if body.strip() else {}
    except ValueError as error:
        return Answer(retstat.ERR_BAD_PARAMS, {"msg": str(error)})
    if not isinstance(given, dict):
        return Answer(retstat.ERR_BAD_PARAMS, {"msg": "the parameters must be an object"})
    try:
        answer = handlers.call(path, Request(new_id(), username, attempt=1), {**query, **given})
        strict_json.loads(strict_json.dumps(answer.to_json()).encode())
        return answer
    except (Exception, SystemExit) as error:  # as in a job: the handler's fault is its answer
        return Answer(retstat.ERR_SERVER_EXCEPTION, {"msg": f"{type(error).__name__}: {error}"})


def _serve(handlers: Handlers, port: int, environment: str) -> int:
    if environment != "development":
        sys.stderr.write("Handlers are served where GM_ENVIRONMENT is development, and nowhere else.\n")
        return 2
    server = ThreadingHTTPServer(("127.0.0.1", port), _make_http(handlers))
    sys.stdout.write(f"serving handlers on http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0


def _make_http(handlers: Handlers) -> type[BaseHTTPRequestHandler]:
    class Http(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "0")
            self._answer(self.rfile.read(min(int(length), _MAX_BODY_BYTES)) if length.isdigit() else b"")

        def _answer(self, body: bytes) -> None:
            parts = urlsplit(self.path)
            username = self.headers.get("x_username") or self.headers.get("X-Username") or "-"
            answer = call(handlers, parts.path, dict(parse_qsl(parts.query)), body, username)
            content = strict_json.dumps(answer.to_json()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Http


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # the answer stands alone
    sys.exit(main(sys.argv[1:]))
