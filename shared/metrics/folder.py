"""The folder in which the processes of one service keep their counters, each in files of its own, for all to read.

It belongs to one tree of processes and goes with it; what a killed tree left is removed by the next that starts. The
files of processes that ended are folded into one, so that a service whose children come and go needs no more room.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import shutil
import struct
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import structlog

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""where prometheus_client looks for the folder, when it is imported"""
BELOW = "GM_METRICS_DIR"
PREFIX = "gm-metrics-"
_OWNER, _TURN = "owner", "turn"
_KINDS = ("counter", "histogram")
_FOLDED = "0"
_FILE_BYTES = 512 * 1024
_TURN_SECONDS = 1.0
_YOUNG_SECONDS = 60.0
_BROKEN = (RuntimeError, ValueError, struct.error)
log = structlog.get_logger(__name__)


def own_folder(service: str) -> Path | None:
    """Make a folder for this process and those that it forks, in GM_METRICS_DIR or among temporary files.

    Called again by the same process it is the same folder. It is removed when this process ends. None where it can't
    be made; then each process counts for itself.
    """
    known = Path(os.environ.get(VARIABLE) or os.devnull)
    with contextlib.suppress(OSError):
        if (known / _OWNER).read_text() == str(os.getpid()):
            return known
    os.environ.pop(VARIABLE, None)
    below = Path(os.environ.get(BELOW) or tempfile.gettempdir())
    try:
        below.mkdir(parents=True, exist_ok=True)
        remove_left(below)
        made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{service}-", dir=below))
        owner = _hold(made)
    except OSError as error:
        log.warning("metrics_folder_not_made", folder=str(below), problem=str(error))
        return None
    os.environ[VARIABLE] = str(made)
    atexit.register(_remove_own, made, os.getpid(), owner)
    return made


def open_folder(service: str) -> Path | None:
    """Return the folder that the process's parent has made, or else make one as `own_folder` does."""
    known = os.environ.get(VARIABLE)
    return Path(known) if known and Path(known).is_dir() else own_folder(service)


def find_folder() -> Path | None:
    """Return this process's folder, None where there is none."""
    known = os.environ.get(VARIABLE)
    return Path(known) if known else None


def remove_left(below: Path) -> None:
    """Remove the folders of process trees that are gone."""
    for folder in below.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            seen = folder.lstat()
            young = time.time() - seen.st_mtime < _YOUNG_SECONDS
            if seen.st_uid != os.getuid() or folder.is_symlink() or young or _is_held(folder):
                continue
            shutil.rmtree(folder, ignore_errors=True)


class OwnFiles:
    """This process's files, made with all their room: a full disk would otherwise kill whoever writes to them."""

    def __init__(self) -> None:
        self._process = 0
        self._are_there = False

    def are_there(self) -> bool:
        """Tell whether this process may count, making its files when it was just forked."""
        if self._process != os.getpid():
            self._process, self._are_there = os.getpid(), self._make()
        return self._are_there

    def give_up(self) -> None:
        """Count no more in this process."""
        self._are_there = False

    def _make(self) -> bool:
        folder = find_folder()
        if folder is None:
            return True
        try:
            for kind in _KINDS:
                with (folder / f"{kind}_{os.getpid()}.db").open("ab") as file:
                    _take_room(file.fileno())
        except OSError as error:
            log.warning("metrics_given_up", folder=str(folder), problem=str(error))
            return False
        return True


def collect(folder: Path) -> Iterable[Family]:
    """Return what all processes have counted, those that are gone too; files that can't be read are left out."""
    with _turn(folder) as is_ours:
        if is_ours:
            fold(folder)
        files = [str(file) for file in _files(folder)]
        try:
            return _merge(files)
        except _BROKEN:
            return _merge([file for file in files if _values(file) is not None])


def fold(folder: Path) -> None:
    """Add up the files of processes that are gone in one file for each kind, and remove them."""
    for kind in _KINDS:
        gone = [file for file in _files(folder, kind) if not _lives(_process_of(file))]
        if gone:
            _fold_kind(folder, kind, gone)


def processes(folder: Path) -> list[int]:
    """Return the ids of the living processes that count here."""
    return sorted({pid for file in _files(folder) if (pid := _process_of(file)) and _lives(pid)})


def _fold_kind(folder: Path, kind: str, gone: list[Path]) -> None:
    from prometheus_client.mmap_dict import MmapedDict  # noqa: PLC0415 see shared.metrics.meters

    folded, new = folder / f"{kind}_{_FOLDED}.db", folder / f"{kind}.new"
    sums: defaultdict[str, float] = defaultdict(float)
    for file in [*gone, *([folded] if folded.exists() else [])]:
        values = _values(str(file))
        if values is None:
            log.warning("metrics_file_broken", file=file.name)
        for key, value in values or []:
            sums[key] += value
    new.unlink(missing_ok=True)
    written: Any = MmapedDict(str(new))  # type: ignore[no-untyped-call]
    for key, value in sums.items():
        written.write_value(key, value, 0.0)
    written.close()
    new.replace(folded)
    for file in gone:
        file.unlink(missing_ok=True)


def _merge(files: list[str]) -> Iterable[Family]:
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 see shared.metrics.meters

    merged: Iterable[Family] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
    return merged


def _values(file: str) -> list[tuple[str, float]] | None:
    from prometheus_client.mmap_dict import MmapedDict  # noqa: PLC0415 see shared.metrics.meters

    try:
        read: Any = MmapedDict.read_all_values_from_file(file)  # type: ignore[no-untyped-call]
        return [(key, value) for key, value, _, _ in read]
    except (*_BROKEN, OSError):
        return None


def _files(folder: Path, kind: str = "*") -> list[Path]:
    """Return the files that have been begun; one without a byte was opened a moment ago."""
    found = []
    for file in sorted(folder.glob(f"{kind}_*.db")):
        with contextlib.suppress(OSError):
            if file.stat().st_size:
                found.append(file)
    return found


def _take_room(file: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, _FILE_BYTES)
    else:  # macOS, where a file for development has its room by being written
        os.write(file, bytes(_FILE_BYTES))


def _process_of(file: Path) -> int:
    return int(file.stem.rpartition("_")[2])


def _lives(pid: int) -> bool:
    if pid == int(_FOLDED):
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[bool]:
    """Let one process at a time fold and read; False where another one keeps its turn for too long."""
    with (folder / _TURN).open("a") as file:
        deadline = time.monotonic() + _TURN_SECONDS
        while not _lock(file):
            if time.monotonic() > deadline:
                yield False
                return
            time.sleep(0.01)
        try:
            yield True
        finally:
            # Closing would not do where another thread has forked meanwhile: the child has the file open too.
            fcntl.flock(file, fcntl.LOCK_UN)


def _hold(folder: Path) -> TextIO:
    """Mark the folder as in use for as long as this process or one that it forked lives."""
    file = (folder / _OWNER).open("w")
    file.write(str(os.getpid()))
    file.flush()
    _lock(file)
    return file


def _is_held(folder: Path) -> bool:
    try:
        with (folder / _OWNER).open() as file:
            return not _lock(file)
    except FileNotFoundError:
        return False


def _lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove_own(folder: Path, maker: int, _owner: TextIO) -> None:
    if os.getpid() == maker:  # those that it forked run this too
        shutil.rmtree(folder, ignore_errors=True)
