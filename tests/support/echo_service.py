"""A stand-in for gm_service behind nginx, under its gunicorn: tells what arrived, or answers as it is told.

`X-Test-Accel` makes it hand a file over to nginx, `X-Test-Status` makes it answer with that status and a Retry-After.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.support.cluster import ROOT
from tests.support.processes import Proc, free_port

Start = Callable[[str, list[tuple[str, str]]], object]


def app(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """Answer as the request's own headers say."""
    environ["wsgi.input"].read()
    accel = environ.get("HTTP_X_TEST_ACCEL")
    if accel:
        start_response("200 OK", [("Content-Type", "text/csv"), ("X-Accel-Redirect", accel)])
        return []
    status = environ.get("HTTP_X_TEST_STATUS")
    if status:
        start_response(f"{status} Told", [("Content-Type", "text/plain"), ("Retry-After", "7")])
        return [b"as told"]
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    start_response("200 OK", [("Content-Type", "application/json"), ("X-Request-Id", "of the service")])
    return [json.dumps({**told, "name": os.environ["GM_TEST_NAME"]}).encode()]


def start(folder: Path, name: str) -> tuple[Proc, str]:
    """Start one that calls itself `name`; return it and its host:port."""
    address = f"127.0.0.1:{free_port()}"
    argv = [sys.executable, "-m", "gunicorn", "-c", "gm_service/gunicorn.conf.py", "tests.support.echo_service:app"]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "GM_SERVICE_BIND": address, "GM_TEST_NAME": name}
    return Proc(name, argv, folder, env, cwd=ROOT), address
