"""Reads an uploaded .xlsx or .csv into a `Sheet`: the parsing happens in a child process with limits of its own.

What the columns mean is for `columns`, what the rows are for `orders`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

import structlog

from gm_service.orders.imports.files.child import MAX_ANSWER_BYTES
from gm_service.orders.imports.files.limits import MIB, FileLimits
from gm_service.orders.imports.files.refusals import sentences
from shared.errors import RuleRefused, TooLarge, Unavailable

__all__ = ["FileLimits", "Sheet", "SheetRow", "read_sheet"]

log = structlog.get_logger(__name__)
CHILD = (sys.executable, "-m", "gm_service.orders.imports.files.child")
_SOURCES = Path(__file__).resolve().parents[4]
_TAIL_BYTES = 2_000
_AT_ONCE = threading.BoundedSemaphore(2)
"""so many children of this process at once, lest uploads take the server's memory together"""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row that has something in it."""

    number: int
    """as the spreadsheet numbers it, from 1"""
    cells: tuple[Any, ...]
    """JSON values, as many as there are titles: text, whole number, float, bool, or None where nothing is"""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The table of an uploaded file. A formula stands as its text, `=...`, and an error cell as its own, `#N/A`."""

    titles: tuple[str, ...]
    """the first row that has something in it; trailing columns without anything are left out"""
    rows: tuple[SheetRow, ...]
    """at least one"""
    kind: Literal["xlsx", "csv"]
    encoding: str | None
    """of a .csv: utf-8, utf-8-sig, utf-16 or gb18030"""
    sheet_name: str | None
    other_sheets: tuple[str, ...]
    """visible sheets that were not read"""


def read_sheet(content: bytes, file_name: str, limits: FileLimits) -> Sheet:
    """Return the table of an uploaded file; what kind it is is told by its content, never by its name.

    Dates come as `2026-01-31 06:00:00`, or `2026-01-31` at midnight; numbers of a .csv stay text.

    Raises:
        TooLarge: it has more bytes than `limits` let.
        RuleRefused: it can't be taken; the sentence says why and what to do.
        Unavailable: too many files are being read, or the machine has no room for a child.
    """
    if len(content) > limits.max_bytes:
        raise TooLarge(what="file", limit=f"{limits.max_bytes / MIB:g} MiB")
    began = time.monotonic()
    answer = _ask_in_turn(content, limits)
    seconds = round(time.monotonic() - began, 3)
    refused = answer.get("refused")
    if refused is not None:
        log.info("upload_refused", file_name=file_name, bytes=len(content), code=refused, seconds=seconds)
        raise _refusal(refused, answer["facts"])
    sheet = _to_sheet(answer)
    log.info("upload_read", file_name=file_name, bytes=len(content), rows=len(sheet.rows), seconds=seconds)
    return sheet


def _refusal(code: str, facts: dict[str, Any]) -> RuleRefused:
    en, zh = sentences(code, facts)
    return RuleRefused(problem=en, problem_zh=zh)


def _ask_in_turn(content: bytes, limits: FileLimits) -> dict[str, Any]:
    if not _AT_ONCE.acquire(timeout=limits.read_seconds):
        raise Unavailable(what="reader of files")
    try:
        return _ask_child(content, limits)
    except OSError as error:  # no room for the files between us, or for one more process
        log.warning("upload_reader_not_started", error=str(error))
        raise Unavailable(what="reader of files") from error
    finally:
        _AT_ONCE.release()


def _ask_child(content: bytes, limits: FileLimits) -> dict[str, Any]:
    """Return what the child answers; a child that gives no answer is an answer too."""
    # Files, not pipes: neither side ever waits for the other, and the kernel bounds what the child writes.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as said:
        request = {"limits": asdict(limits), "parent": os.getpid()}
        given.write(json.dumps(request).encode() + b"\n")
        given.write(content)
        given.seek(0)
        exit_code = _run_child(given, answer, said, limits.read_seconds)
        if exit_code == 0:
            with suppress(ValueError, RecursionError):
                return dict(json.loads(_start_of(answer, MAX_ANSWER_BYTES)))
        return _explain_death(exit_code, _start_of(said, _TAIL_BYTES), limits)


def _run_child(given: IO[bytes], answer: IO[bytes], said: IO[bytes], seconds: float) -> int | None:
    """Return the child's exit code, None where it had to be ended."""
    environment = {"PYTHONPATH": str(_SOURCES), "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"}
    child = subprocess.Popen(  # noqa: S603 a fixed argument list, no shell
        CHILD, stdin=given, stdout=answer, stderr=said, env=environment, start_new_session=True, cwd="/"
    )
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _explain_death(exit_code: int | None, said: bytes, limits: FileLimits) -> dict[str, Any]:
    log.warning("upload_reader_died", exit_code=exit_code, stderr=said.decode(errors="replace"))
    if exit_code is None or exit_code in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"refused": "takes_too_long", "facts": {"limit": f"{limits.read_seconds:g}"}}
    if exit_code == -signal.SIGABRT or b"MemoryError" in said or b"File too large" in said:
        return {"refused": "takes_too_much", "facts": {"limit": limits.read_memory_mib}}
    return {"refused": "unreadable", "facts": {}}


def _start_of(file: IO[bytes], max_bytes: int) -> bytes:
    file.seek(0)
    return file.read(max_bytes)


def _to_sheet(answer: dict[str, Any]) -> Sheet:
    (_, titles), *rows = answer["rows"]
    width = max(_filled_width(cells) for _, cells in answer["rows"])
    return Sheet(
        titles=tuple(_title(cell) for cell in _fit(titles, width)),
        rows=tuple(SheetRow(number, _fit(cells, width)) for number, cells in rows),
        kind=answer["kind"],
        encoding=answer.get("encoding"),
        sheet_name=answer.get("sheet_name"),
        other_sheets=tuple(answer.get("other_sheets", ())),
    )


def _filled_width(cells: Sequence[Any]) -> int:
    return next((width for width in range(len(cells), 0, -1) if cells[width - 1] is not None), 0)


def _fit(cells: Sequence[Any], width: int) -> tuple[Any, ...]:
    return (*cells[:width], *[None] * (width - len(cells)))


def _title(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()
