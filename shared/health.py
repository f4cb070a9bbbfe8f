"""Whether a process without HTTP lives: it says so in a file every second, and `check` reads it, with the standard
library alone, so that it starts fast.

The file is JSON: `seen` (the machine's monotonic clock, in seconds, when it was written), `stale_seconds`, and why the
process is not healthy or not ready, empty where it is. Its time stamp is that of the last healthy moment. A process
that is stopped, hung or killed can't write it, so an old file says as much as a bad one.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

WRITE_SECONDS = 1.0
STALE_SECONDS = 10.0
"""a file that was not written for so long says that its process stands still"""


@dataclass(frozen=True, slots=True)
class Health:
    """How a process is; empty texts say that all is well."""

    sick: str = ""
    """why it should be started anew"""
    missing: str = ""
    """what it waits for, which a new start would not bring"""


class HealthFile:
    """Writes what `judge` says until stopped; the file goes with it."""

    def __init__(self, path: Path, judge: Callable[[], Health]) -> None:
        self._path = path
        self._judge = judge
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="health-file", daemon=True)
        self._process = os.getpid()

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write no more, and remove the file; nothing in a process that was forked meanwhile."""
        if self._process == os.getpid():
            self._stopping.set()
            self._thread.join(2 * WRITE_SECONDS)
            self._path.unlink(missing_ok=True)

    def _write_on(self) -> None:
        while True:
            with contextlib.suppress(OSError):  # a full disk is seen as an old file
                self.write()
            if self._stopping.wait(WRITE_SECONDS):
                return

    def write(self) -> None:
        """Write once, all of it or nothing.

        Raises:
            OSError: it can't be written.
        """
        health = self._judge()
        facts = {"seen": time.monotonic(), "stale_seconds": STALE_SECONDS, "process": os.getpid()}
        new = self._path.with_name(f"{self._path.name}.new")
        new.write_text(json.dumps({**facts, "sick": health.sick, "missing": health.missing}))
        if health.sick and self._path.exists():
            stamp = self._path.stat().st_mtime
            os.utime(new, (stamp, stamp))
        new.replace(self._path)


def check(path: Path, *, ready: bool = False) -> str:
    """Return what is wrong with the process that writes this file, in a sentence; "" where nothing is."""
    try:
        told = json.loads(path.read_text())
        age = time.monotonic() - float(told["seen"])
        stale_seconds, sick, missing = float(told["stale_seconds"]), str(told["sick"]), str(told["missing"])
    except FileNotFoundError:
        return f"There is no {path}: the process has not begun, or was stopped."
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{path} can't be read: {type(error).__name__}."
    if not 0 <= age <= stale_seconds:  # before 0: it was written before the machine was started anew
        return f"The process stands still or is gone: {path} was last written {abs(age):.0f} seconds ago."
    return sick or (missing if ready else "")


def main(variable: str, arguments: list[str]) -> int:
    """Be the command `[--ready] [FILE]`: return 0 where the process is well, 1 with a sentence where not.

    FILE is by default what the environment's `variable` says; 2 where neither names one.
    """
    ready = "--ready" in arguments
    named = [each for each in arguments if each != "--ready"] or [os.environ.get(variable, "")]
    if not named[0] or len(named) > 1:
        sys.stderr.write(f"Name one file, or set {variable}: the one that the process was told to write.\n")
        return 2
    problem = check(Path(named[0]), ready=ready)
    sys.stdout.write(f"{problem or 'ok'}\n")
    return 1 if problem else 0
