"""Names of profile files, and how a file comes to be there whole or not at all."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from shared.context import current_request_id

DEFAULT_NAME = "{function}-{time}-{request_id}"
UNFINISHED = re.compile(r"\.[a-z0-9_]{8}\.part")
"""what `write_whole` fills before it has its name"""
TIME = "%Y%m%dT%H%M%S.%fZ"
_UNSAFE = re.compile(r"[^\w.-]+")


def check_pattern(pattern: str) -> None:
    """See that a path names nothing but {function}, {time}, {request_id} and {pid}.

    Raises:
        ValueError: it does.
    """
    try:
        _fill(pattern, "function")
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"{pattern!r} may name {{function}}, {{time}}, {{request_id}} and {{pid}} alone") from error


def fill_path(pattern: str, function: str, folder: Path | None, suffix: str = ".prof") -> Path:
    """Return the file that `pattern` means for a call of `function` now.

    A relative one begins in `folder`. It is a folder where one is there, where it ends with a slash, or where its last
    part names nothing and has no suffix; a last part that names something without a suffix gets `suffix`.
    """
    path = (folder or Path()) / _fill(pattern, function)
    last = Path(pattern)
    is_fixed = "{" not in last.name
    if pattern.endswith("/") or path.is_dir() or (is_fixed and not last.suffix):
        return path / f"{_fill(DEFAULT_NAME, function)}{suffix}"
    return path if last.suffix else path.with_name(f"{path.name}{suffix}")


def write_whole(path: Path, began_ns: int, write: Callable[[Path], object]) -> Path:
    """Have `write` fill a file, put it in place at once, and return where that is; parent folders are made.

    What was there before the call began (`began_ns`, of `time.time_ns`) is replaced. What a concurrent or nested call
    put there since then stays, and the file gets a number: `xxx.prof`, `xxx-2.prof` ...

    Raises:
        OSError: the file can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        write(unfinished)
        unfinished.chmod(0o640)
        with turn_in(path.parent):
            place = next(place for place in _numbered(path) if _modified_ns(place) < began_ns)
            # The kernel's own stamp is some milliseconds behind the clock that `began_ns` is of.
            now = time.time_ns()
            os.utime(unfinished, ns=(now, now))
            unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)
    return place


def show_printable(text: str) -> str:
    """Return a text from elsewhere without what would command a terminal or break a picture."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text)


def _fill(pattern: str, function: str) -> str:
    return pattern.format(
        function=_UNSAFE.sub("_", function),
        time=datetime.now(UTC).strftime(TIME),
        request_id=_UNSAFE.sub("_", current_request_id() or "none").lstrip("."),
        pid=os.getpid(),
    )


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    yield from (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return -1


@contextmanager
def turn_in(folder: Path) -> Iterator[None]:
    """Let one process or thread after the other choose a name in `folder`."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
