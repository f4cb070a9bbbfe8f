"""The worker processes of this host that belong to this platform, as the kernel knows them, reporting or not."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from shared.ops.processes import read_environment

_MODULE = "gm_task.worker"
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class LocalWorker:
    """A worker's parent process."""

    pid: int
    release: str
    """GM_RELEASE of its environment"""
    age_seconds: float


def find_local_workers(async_task_url: str) -> list[LocalWorker]:
    """Return this host's workers of the platform whose task service is at `async_task_url`, the oldest first.

    Those of other platforms, and of containers, are not ours to see.
    """
    pids = [int(entry.name) for entry in _PROC.glob("[0-9]*") if _is_worker(entry) and _is_of_this_namespace(entry)]
    found = []
    for pid in pids:
        environment = read_environment(_PROC / str(pid))
        if _parent(pid) not in pids and environment.get("GM_ASYNC_TASK_URL") == async_task_url:
            found.append(LocalWorker(pid, environment.get("GM_RELEASE", ""), _age_seconds(pid)))
    return sorted(found, key=lambda worker: -worker.age_seconds)


def end_gracefully(pids: Iterable[int], seconds: float, stops: Callable[[int], bool]) -> list[int]:
    """Ask each to end as supervisor does, and return those that live on after `seconds`.

    `stops` has whoever watches over a process end it, and tells whether there is somebody: he would start it anew.
    """
    handles = {pid: handle for pid in pids if (handle := _open(pid)) is not None}
    try:
        for pid, handle in handles.items():
            if not stops(pid):
                signal.pidfd_send_signal(handle, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        return [pid for pid, handle in handles.items() if not _has_ended(handle, deadline)]
    finally:
        for handle in handles.values():
            os.close(handle)


def _open(pid: int) -> int | None:
    """Return a handle of the process that can't come to mean another; None where it is gone or no worker any more."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    if _is_worker(_PROC / str(pid)):
        return handle
    os.close(handle)
    return None


def _has_ended(handle: int, deadline: float) -> bool:
    ended, _, _ = select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
    return bool(ended)


def _is_worker(entry: Path) -> bool:
    arguments = _read(entry / "cmdline").split(b"\0")
    return any(pair == (b"-m", _MODULE.encode()) for pair in pairwise(arguments))


def _is_of_this_namespace(entry: Path) -> bool:
    try:
        return (entry / "ns/pid").readlink() == (_PROC / "self/ns/pid").readlink()
    except OSError:
        return False


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _age_seconds(pid: int) -> float:
    fields = _stat(pid)
    if not fields:
        return 0.0
    uptime = float(_read(_PROC / "uptime").split()[0])
    return uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> Sequence[bytes]:
    """Return the fields behind the command's name, which may have any character."""
    return _read(_PROC / str(pid) / "stat").rpartition(b")")[2].split()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # ended meanwhile, or another user's
        return b""
