"""Keeps a folder of profiles within its size and age; the oldest files go first."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from shared.profiling.switch import Limits


def keep_within(folder: Path, limits: Limits) -> None:
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
            if path.is_file():
                known = path.stat()
                found.append((known.st_mtime, known.st_size, path))
    return found
