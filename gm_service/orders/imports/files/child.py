"""Reads one uploaded file, in a process of its own that may take little and dies with its parent.

Protocol: on stdin a line of JSON (the limits and the parent's process id) and then the file's bytes; on stdout one
JSON object, the sheet or `{"refused": code, "facts": {...}}`. `reading` starts it; it imports the least it can.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import resource
import signal
import sys
from typing import Any

from gm_service.orders.imports.files.limits import MIB, FileLimits
from gm_service.orders.imports.files.refusals import FileRefused

MAX_ANSWER_BYTES = 64 * MIB
PR_SET_PDEATHSIG = 1
_ORPHANED = 3


def main() -> int:
    """Answer on stdout; the exit code is 0 also where the file is refused."""
    request = json.loads(sys.stdin.buffer.readline())
    limits = FileLimits(**request["limits"])
    _die_with(request["parent"])
    _limit_self(limits)
    try:
        answer = _read(sys.stdin.buffer.read(), limits)
    except FileRefused as refused:
        answer = {"refused": refused.code, "facts": refused.facts}
    except MemoryError:
        answer = {"refused": "takes_too_much", "facts": {"limit": limits.read_memory_mib}}
    json.dump(answer, sys.stdout)
    return 0


def _die_with(parent: int) -> None:
    if sys.platform != "linux":
        return  # elsewhere the limits of time have to do
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        sys.exit(_ORPHANED)


def _limit_self(limits: FileLimits) -> None:
    memory = limits.read_memory_mib * MIB
    seconds = math.ceil(limits.read_seconds)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_ANSWER_BYTES, MAX_ANSWER_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read(content: bytes, limits: FileLimits) -> dict[str, Any]:
    # Each kind's libraries are loaded where they are needed: a .csv must not wait for the reader of workbooks.
    from gm_service.orders.imports.files import text_table, workbook  # noqa: PLC0415

    if not content.strip():
        raise FileRefused("empty")
    is_workbook = workbook.looks_like_workbook(content)
    rows, facts = (workbook.read_workbook if is_workbook else text_table.read_text_table)(content, limits)
    if not rows:
        raise FileRefused("empty")
    if len(rows) == 1:
        raise FileRefused("no_rows")
    return {"kind": "xlsx" if is_workbook else "csv", "rows": rows, **facts}


if __name__ == "__main__":
    sys.exit(main())
