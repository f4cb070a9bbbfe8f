"""Removes export files whose time is over, and what killed runs left unfinished; told apart by name and age alone."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

UNFINISHED_SECONDS = 86_400
"""longer than a run takes: a folder of unfinished files that nothing was written to for so long is nobody's"""
_FILES_A_TIME = 20


def remove_old_files(directory: Path, now: float, keep_seconds: float) -> int:
    """Remove some files last changed before `now - keep_seconds`, and unfinished folders; return how many.

    `now` is a POSIX timestamp. What can't be removed is logged and left for the next time.
    """
    removed = 0
    for path in islice(_iter_old(directory, now, keep_seconds), _FILES_A_TIME):
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            removed += 1
        except OSError as error:
            log.warning("old_file_kept", file=path.name, problem=str(error))
    return removed


def _iter_old(directory: Path, now: float, keep_seconds: float) -> Iterator[Path]:
    for path in _list(directory):
        try:
            if _is_old(path, now, keep_seconds):
                yield path
        except FileNotFoundError:
            continue  # its own run, or another request, was faster


def _list(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except FileNotFoundError:
        return []  # nothing was exported yet
    except OSError as error:
        log.warning("old_files_unseen", directory=directory.name, problem=str(error))
        return []


def _is_old(path: Path, now: float, keep_seconds: float) -> bool:
    found = path.lstat()  # a link is neither folder nor file, and stays
    if stat.S_ISDIR(found.st_mode):
        is_unfinished = path.name.startswith(".") and path.suffix == ".tmp"
        return is_unfinished and _last_change(path) < now - UNFINISHED_SECONDS
    return stat.S_ISREG(found.st_mode) and found.st_mtime < now - keep_seconds


def _last_change(folder: Path) -> float:
    """Return when the folder or a file in it was last written to."""
    return max(path.lstat().st_mtime for path in (folder, *folder.iterdir()))
