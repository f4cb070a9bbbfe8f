"""Keeps a folder of profiles within its size and age; the oldest go first.

Whatever else lies in the folder is neither counted nor touched: marks, files that somebody put there. Ours are records,
by their names, and what decorated functions wrote, by the mark at the file's end.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from shared.profiling.naming import UNFINISHED, turn_in
from shared.profiling.pstat_tables import Table, write_table
from shared.profiling.switch import Limits

log = structlog.get_logger(__name__)
RECORDS, MARKS = "records", "marks"
_OWN_MARK = b" gm-profile\n"
_SAMPLES_MARK = b"\nsamples" + _OWN_MARK
_CALLS_MARK = b"\ncalls" + _OWN_MARK
"""at a file's end, after what pstats reads, which stops where the table does"""
_RECORD = re.compile(r"(\d{8}T\d{6}-[0-9a-f]{10})\.(json|prof)")
_LOOK_SECONDS = 60.0
_LOOK_SHARE = 20
"""a process looks again once it has written this part of what the folder may hold"""
_UNFINISHED_SECONDS = 3600.0
"""a file that is still unfinished then is of a process that was killed"""


@dataclass(slots=True)
class _Look:
    """When this process looked into a folder, and what it has written there since."""

    at: float
    written_bytes: int = 0


@dataclass(slots=True)
class _Kept:
    """What is removed together: a record with its profile, or one file."""

    files: dict[Path, os.stat_result] = field(default_factory=dict)

    @property
    def modified(self) -> float:
        return max(known.st_mtime for known in self.files.values())

    @property
    def size(self) -> int:
        return sum(known.st_size for known in self.files.values())


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
    try:
        with turn_in(folder):  # several at once would take away too many
            _remove_oldest(folder, limits)
    except OSError as error:
        log.warning("profiles_not_removed", folder=str(folder), problem=str(error))


def _remove_oldest(folder: Path, limits: Limits) -> None:
    """Remove what is too old, and the oldest beyond the size."""
    found = sorted([*_records(folder), *_decorated(folder)], key=lambda kept: kept.modified)
    left = sum(kept.size for kept in found)
    oldest = time.time() - limits.max_age_seconds
    for kept in found:
        if kept.modified >= oldest and left <= limits.max_bytes:
            return
        for path, known in kept.files.items():
            _remove(folder, path, known)
        left -= kept.size


def _remove(folder: Path, path: Path, known: os.stat_result) -> None:
    """Remove a file, unless somebody has put a newer one in its place meanwhile."""
    writers_wait = contextlib.nullcontext() if path.parent == folder else turn_in(path.parent)
    with contextlib.suppress(FileNotFoundError), writers_wait:
        if path.lstat().st_mtime_ns == known.st_mtime_ns:
            path.unlink()


def _records(folder: Path) -> list[_Kept]:
    by_id: dict[str, _Kept] = {}
    for path, known in _files_in(folder / RECORDS):
        if named := _RECORD.fullmatch(path.name):
            by_id.setdefault(named[1], _Kept()).files[path] = known
        elif _is_left(path, known):
            by_id[path.name] = _Kept({path: known})
    return list(by_id.values())


def _decorated(folder: Path) -> Iterator[_Kept]:
    for place, folders, _ in os.walk(folder):
        if Path(place) == folder:
            folders[:] = [name for name in folders if name not in (RECORDS, MARKS)]
        for path, known in _files_in(Path(place)):
            if _is_left(path, known) or (not path.name.startswith(".") and _ends_with(path, _OWN_MARK)):
                yield _Kept({path: known})


def _is_left(path: Path, known: os.stat_result) -> bool:
    """Tell whether a process was killed over this file."""
    return bool(UNFINISHED.fullmatch(path.name)) and known.st_mtime < time.time() - _UNFINISHED_SECONDS


def _files_in(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Return what are files themselves, neither links nor pipes."""
    for path in sorted(folder.glob("*")):
        with contextlib.suppress(FileNotFoundError):
            known = path.lstat()
            if stat.S_ISREG(known.st_mode):
                yield path, known


def write_own(table: Table, path: Path, *, are_samples: bool) -> None:
    """Write a profile, and at its end that it is one of ours, by which the limits know it, and what its counts are."""
    write_table(table, path)
    with path.open("ab") as file:
        file.write(_SAMPLES_MARK if are_samples else _CALLS_MARK)


def has_samples(path: Path) -> bool:
    """Tell whether the counts of a profile are samples; they are calls in files from elsewhere."""
    return _ends_with(path, _SAMPLES_MARK)


def _ends_with(path: Path, mark: bytes) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(-len(mark), os.SEEK_END)
        return file.read() == mark
    return False
