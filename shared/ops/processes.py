"""Finds the processes of one run by the mark in their environment, and ends them by their ids.

A mark outlives what a list of ids does not: a killed supervisor, a worker's grandchild, a reused id.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

MARK = "GM_RUN_MARK"


def find_marked(mark: str, supervisor: int | None) -> list[int]:
    """Return the ids of this user's living processes that carry `mark`.

    Where there is no /proc, only the `supervisor` is known, which ends the others itself.
    """
    if not mark:
        return []
    if not Path("/proc/self/environ").exists():
        return [supervisor] if supervisor is not None and _lives(supervisor) else []
    wanted = f"{MARK}={mark}"
    return sorted(
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if int(entry.name) != os.getpid() and wanted in _environment(entry) and not _is_zombie(entry)
    )


def end(pids: list[int], number: signal.Signals) -> None:
    """Signal each process that still lives."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def wait_gone(mark: str, supervisor: int | None, seconds: float) -> bool:
    """Wait until no process carries `mark`; False where some still do after `seconds`."""
    deadline = time.monotonic() + seconds
    while find_marked(mark, supervisor):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def read_environment(entry: Path) -> dict[str, str]:
    """Return the environment that the process of `entry`, a folder of /proc, was started with; empty where it is not
    to be read.
    """
    pairs = (line.partition("=") for line in _environment(entry))
    return {name: value for name, _, value in pairs}


def _environment(entry: Path) -> list[str]:
    try:
        return (entry / "environ").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:  # ended meanwhile, or another user's
        return []


def _is_zombie(entry: Path) -> bool:
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return True
