"""Handlers that go wrong on purpose, written as existing ones are."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path
from typing import Any

from xlib import retstat
from xlib.httpgateway import Request
from xlib.middleware import funcattr

__info = "tests"


@funcattr.api
def note(req: Any, path: str, seconds: float = 0.0) -> Any:
    """Say that it ran, and how often, in a file of its own."""
    isinstance(req, Request)
    time.sleep(seconds)
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{req.task_id} {req.attempt} {req.username}\n")
    return retstat.OK, {"path": path, "attempt": req.attempt}, [(__info, 1)]


def fail_until(req: Any, attempt: int) -> Any:
    """Fail with a stat of its own until the given attempt."""
    if req.attempt < attempt:
        return "ERR_NOT_YET", {"attempt": req.attempt}
    return retstat.OK, {"attempt": req.attempt}


def fail(req: Any) -> Any:
    """Fail with a stat of its own."""
    return "ERR_OWN", {"why": "on purpose"}


def blow_up(req: Any) -> Any:
    """Raise."""
    raise ValueError("oh no")


def die_once(req: Any, path: str) -> Any:
    """Take its process along in the first attempt."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{req.task_id} {req.attempt}\n")
    if req.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return retstat.OK, {}


def sleep(req: Any, seconds: float) -> Any:
    """Take a while, and never ask whether it must stop."""
    time.sleep(seconds)
    return retstat.OK, {}


def log(req: Any, text: str) -> Any:
    """Log a text."""
    logging.getLogger(__name__).warning(text)
    return retstat.OK, {}


def wait_for(req: Any, path: str) -> Any:
    """Go on when a file is there."""
    while not Path(path).exists():
        time.sleep(0.02)
    return retstat.OK, {}


def note_then_fail_until(req: Any, path: str, attempt: int) -> Any:
    """Say that it ran, and fail until the given attempt."""
    note(req, path)
    return fail_until(req, attempt)


def note_and_wait(req: Any, path: str, gate: str) -> Any:
    """Say that it ran, and go on when a file is there."""
    answer = note(req, path)
    wait_for(req, gate)
    return answer
