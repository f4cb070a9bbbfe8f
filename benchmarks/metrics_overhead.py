"""What counting costs a request: the same calls with metrics and without, side by side, round by round.

The application is called as gunicorn calls it, with nothing of HTTP around, so that the share is at its highest.
"""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.metrics import folder
from shared.web import strict_json

ROUNDS, CALLS = 7, 1500
CASES = ("/task/get", "start and finish")


def main() -> None:
    """Measure both, and print the ratio."""
    with TemporaryDirectory() as place:
        both = {counts: _Side(Path(place), counts=counts) for counts in (True, False)}
        print(f"  {CALLS} calls a round, {ROUNDS} rounds of each in turn, SQLite")
        for case in CASES:
            seconds: dict[bool, list[float]] = {True: [], False: []}
            for _ in range(ROUNDS):
                for counts, side in both.items():
                    seconds[counts].append(side.ask(case))
            on, off = (statistics.median(seconds[counts]) / CALLS * 1e6 for counts in (True, False))
            ratio = statistics.median(a / b for a, b in zip(seconds[True], seconds[False], strict=True))
            print(f"  {case:20} with {on:7.1f} us, without {off:7.1f} us a call, ratio {ratio:.3f}")
        print(f"  a scrape of one process: {both[True].ask('scrape') * 1e3:.1f} ms")
        for side in both.values():
            side.end()


class _Side:
    """A process that counts, or one that does not, and is otherwise the same."""

    def __init__(self, place: Path, *, counts: bool) -> None:
        environment = {**os.environ, folder.BELOW: str(place)}
        if not counts:
            environment[folder.VARIABLE] = str(place / "never-made")
        arguments = [sys.executable, "-m", "benchmarks.metrics_overhead", str(place / f"{counts}.db"), str(counts)]
        self._process = subprocess.Popen(
            arguments,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, case: str) -> float:
        """Return the seconds of one round."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{case}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def end(self) -> None:
        self._process.communicate()


def serve(database: str, counts: bool) -> None:
    """Be one of the two processes: time a round for each line that comes."""
    if counts:
        folder.open_folder("gm_async_task")
    from tests.support.async_task import AUTH_KEY, make_database, make_service  # noqa: PLC0415 after the choice

    app = make_service(make_database(f"sqlite:///{database}"))

    def call(path: str, body: dict[str, Any] | None = None) -> Any:
        data = strict_json.dumps(body or {}).encode()
        environ = {
            "REQUEST_METHOD": "POST" if body else "GET",
            "PATH_INFO": path.partition("?")[0],
            "QUERY_STRING": path.partition("?")[2],
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(data)) if body else "0",
            "HTTP_X_AUTH_KEY": AUTH_KEY,
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "wsgi.input": io.BytesIO(data if body else b""),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
        }
        answer = b"".join(app(environ, lambda *_: None))  # type: ignore[arg-type]
        return answer if path == "/metrics" else strict_json.loads(answer)["data"]

    def add() -> int:
        return int(call("/task/add", {"station_id": "S1", "task_name": "demo.work", "input": "{}"})["task_id"])

    first = add()
    for line in sys.stdin:
        case = line.strip()
        tasks = [add() for _ in range(CALLS // 2)] if case == CASES[1] else []
        began = time.perf_counter()
        if case == CASES[0]:
            for _ in range(CALLS):
                call(f"/task/get?task_id={first}")
        elif case == CASES[1]:
            for task_id in tasks:
                call("/task/start", {"task_id": task_id})
                call("/task/finish", {"task_id": task_id, "status": 3, "run_count": 1})
        else:
            call("/metrics")
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(sys.argv[1], sys.argv[2] == "True")
    else:
        main()
