"""An nginx of the tests' own, with the files that operators install: free port, own folder, ended with the tests."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from shared.ops.servers.nginx import server_argv
from tests.support.cluster import ROOT
from tests.support.processes import Proc, free_port
from tests.support.waiting import wait_for

RENDER = ROOT / "nginx" / "render.py"


def render(folder: Path, *arguments: str, **values: str) -> subprocess.CompletedProcess[str]:
    """Run the renderer as operators do, with these values and nothing else in its environment."""
    command = [sys.executable, str(RENDER), *arguments, str(folder)]
    return subprocess.run(command, env=values, capture_output=True, text=True, check=False)


class Nginx:
    """A running server in front of `stable` and `grey`, addresses as host:port."""

    def __init__(self, folder: Path, stable: str, grey: str | None = None, files_dir: Path | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        rendered = render(
            folder,
            GM_NGINX_LISTEN=f"127.0.0.1:{self.port}",
            GM_NGINX_STABLE=f"server {stable};",
            GM_NGINX_GREY=f"server {grey or stable};",
            GM_FILES_DIR=str(files_dir or folder / "nothing"),
        )
        assert rendered.returncode == 0, rendered.stderr
        self._process = Proc("nginx", server_argv(folder), folder)
        try:
            wait_for(self._answers, 15, "nginx", not_yet=requests.RequestException)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Nginx:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it."""
        self._process.stop(5)

    def reload(self) -> None:
        """Have it read its configuration again; return when new workers serve."""
        before = set(self.workers())
        self._process.send(signal.SIGHUP)
        wait_for(lambda: set(self.workers()) - before, 10, "new workers")

    def workers(self) -> list[int]:
        """Return the process ids of its workers, those included that only finish what they began."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"worker process" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def raw(self, request: bytes) -> bytes:
        """Send bytes that no client library would, and return everything that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def raw_get(self, target: bytes, **headers: str) -> bytes:
        """GET a target exactly as given."""
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        return self.raw(b"GET " + target + b" HTTP/1.1\r\nHost: gm\r\nConnection: close\r\n" + lines.encode() + b"\r\n")

    def logged(self, found: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the access log's first line that is `found`, once it is there."""
        return wait_for(lambda: next((line for line in self.log_lines() if found(line)), None), 5, "a log line") or {}

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the access log."""
        text = (self.folder / "logs" / "access.log").read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def log_text(self) -> str:
        """Return everything that it wrote anywhere."""
        return "".join(path.read_text("utf-8") for path in [self._process.log, *(self.folder / "logs").iterdir()])

    def _answers(self) -> bool:
        assert self._process.process.poll() is None, self._process.text()
        return requests.get(f"{self.url}/no_login", timeout=2).status_code == 404


PLAIN = """
pid nginx.pid;
error_log logs/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path temp/body;
    proxy_temp_path temp/proxy;
    fastcgi_temp_path temp/fastcgi;
    uwsgi_temp_path temp/uwsgi;
    scgi_temp_path temp/scgi;
    server {{
        listen 127.0.0.1:{port};
        underscores_in_headers on;
        location / {{ proxy_pass http://{service}; }}
    }}
}}
"""


class PlainNginx:
    """An nginx that an operator has written himself, as docs/workflows.md says, before the service at `service`."""

    def __init__(self, folder: Path, service: str) -> None:
        for each in ("logs", "temp"):
            (folder / each).mkdir(parents=True)
        self.port = free_port()
        (folder / "nginx.conf").write_text(PLAIN.format(port=self.port, service=service))
        self._process = Proc("nginx", server_argv(folder), folder)

    def __enter__(self) -> PlainNginx:
        url = f"http://127.0.0.1:{self.port}/healthz"
        wait_for(lambda: requests.get(url, timeout=2).ok, 15, "nginx", not_yet=requests.RequestException)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop(5)
