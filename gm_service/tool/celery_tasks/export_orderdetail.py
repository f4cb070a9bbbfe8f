"""The export script that gm_task runs in a subprocess; it imports neither Flask nor an HTTP client.

    python -m gm_service.tool.celery_tasks.export_orderdetail --task-id 12 --run-count 1 --output-dir DIR < input.json

Standard input is the task's input. `DIR` is files_dir/export. GM_SERVICE_DATABASE_URL and GM_TIMEZONE come from the
environment. Standard output has JSON lines: {"progress": {"done", "total"}}, and last {"result": {...}} with exit
code 0, or {"error": {"code", "en", "zh"}} with exit code 1. SIGTERM ends it with code 143 and no unfinished files.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gm_service.orders.exports.making import ExportedFile, export_to_file
from gm_service.orders.query import ExportRequest
from shared.database import make_engine
from shared.errors import MalformedRequest, PlatformError
from shared.files.folder import remove_older_runs
from shared.profiling.present import PROFILED_RUN

_PROGRESS_SECONDS = 0.5
NAME = "gm_service.tool.celery_tasks.export_orderdetail"


def main() -> int:
    """Run the export that the command line and standard input describe; return the exit code."""
    arguments = _parse_arguments()
    _exit_on_sigterm()
    try:
        with _watched(arguments):
            made = run(arguments, sys.stdin.buffer.read(), os.environ)
    except PlatformError as error:
        _say({"error": {"code": error.code, "en": error.sentence("en"), "zh": error.sentence("zh")}})
        return 1
    _say({"result": made.to_json(arguments.output_dir.parent)})
    return 0


def _watched(arguments: argparse.Namespace) -> AbstractContextManager[None]:
    """Profile the run where the worker's is."""
    if PROFILED_RUN not in os.environ:
        return nullcontext()
    from shared.profiling.runs import profiled_script  # noqa: PLC0415 nobody who is not profiled pays for it

    return profiled_script(NAME, arguments.task_id, arguments.run_count, os.environ)


def run(arguments: argparse.Namespace, raw_input: bytes, environment: Mapping[str, str]) -> ExportedFile:
    """Make the file of this run; remove what earlier runs of the task left, and what one that still goes on adds.

    Raises:
        MalformedRequest: the task's input is no export.
        PlatformError: whatever keeps the file from being made.
    """
    request = _read_request(raw_input)
    remove_older = partial(remove_older_runs, arguments.output_dir, arguments.task_id, arguments.run_count)
    remove_older()  # the disk may have no room for both
    made = export_to_file(
        engine=make_engine(environment["GM_SERVICE_DATABASE_URL"]),
        request=request,
        zone=ZoneInfo(environment.get("GM_TIMEZONE", "Asia/Shanghai")),
        directory=arguments.output_dir,
        name=f"{arguments.task_id}.{arguments.run_count}",
        progress=_Reporter(),
    )
    remove_older()
    return made


class _Reporter:
    """Says how far the export is, at most twice a second and at both ends."""

    def __init__(self) -> None:
        self._last_time = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done in (0, total) or now - self._last_time >= _PROGRESS_SECONDS:
            self._last_time = now
            _say({"progress": {"done": done, "total": total}})


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Export a station's order details to a file.")
    parser.add_argument("--task-id", type=int, required=True)
    parser.add_argument("--run-count", type=int, required=True, help="fencing token; part of the file's name")
    parser.add_argument("--output-dir", type=Path, required=True)
    return parser.parse_args()


def _exit_on_sigterm() -> None:
    """Make a request to end an exit like any other, so that what is unfinished is removed on the way out."""

    def leave(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)  # asked again, it would be cut off in the middle of that
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)


def _read_request(raw_input: bytes) -> ExportRequest:
    try:
        return ExportRequest.from_json(json.loads(raw_input))
    except (ValueError, KeyError, TypeError, ArithmeticError, AttributeError) as error:
        raise MalformedRequest(problem=f"the task's input is no export ({error})") from error


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
