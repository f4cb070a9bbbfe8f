"""Keeps a folder of profiles within its size and age; the oldest files go first."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from shared.profiling.switch import Limits

_LOOK_SECONDS = 60.0
_LOOK_SHARE = 20
"""a process looks again once it has written this part of what the folder may hold"""


@dataclass(slots=True)
class _Look:
    """When this process looked into a folder, and what it has written there since."""

    at: float
    written_bytes: int = 0


_OURS = ("records", "marks")
_SUFFIXES = (".prof", ".stat", ".pstats", ".out", ".part")

_looks: dict[Path, _Look] = {}


def keep_within(folder: Path, limits: Limits, written_bytes: int) -> None:
    """Look whether a folder still is within its limits, after `written_bytes` more; seldom, as it has many files."""
    now = time.monotonic()
    look = _looks.get(folder)
    if look is not None:
        look.written_bytes += written_bytes
        if now - look.at < _LOOK_SECONDS and look.written_bytes < limits.max_bytes / _LOOK_SHARE:
            return
    _looks[folder] = _Look(now)
    _remove_oldest(folder, limits)


def _remove_oldest(folder: Path, limits: Limits) -> None:
    """Remove what is too old, and the oldest files beyond the size. Never fails for a file that another removes."""
    found = sorted(_files(folder))
    left = sum(size for _, size, _ in found)
    oldest = time.time() - limits.max_age_seconds
    for modified, size, path in found:
        if modified >= oldest and left <= limits.max_bytes:
            return
        path.unlink(missing_ok=True)
        left -= size


def _files(folder: Path) -> list[tuple[float, int, Path]]:
    found = []
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and _is_profile(path.relative_to(folder)):
                known = path.stat()
                found.append((known.st_mtime, known.st_size, path))
    return found


def _is_profile(path: Path) -> bool:
    """Tell whether profiling wrote it: a folder that is named by mistake keeps what else is in it."""
    return path.parts[0] in _OURS or path.suffix in _SUFFIXES
