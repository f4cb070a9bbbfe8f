"""What a run took of the process's memory, which types of objects it left, and from which lines."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import tracemalloc
from pathlib import Path
from typing import Any, Protocol

from shared.profiling.ledger import ROOT

_KIB = 1024
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_FRAMES = 1
_SHOWN = 30
_PROFILER = "shared.profiling."
"""whose own objects, the ledger's foremost, are there for as long as the run is watched"""
_turn = threading.Lock()
"""tracemalloc watches the whole process, so for one run after the other"""


class Watch(Protocol):
    """Watches from its making until `finish`."""

    def finish(self) -> dict[str, Any]:
        """Return what is kept in the record."""
        ...


class NoMemoryWatch:
    """Looks at the process's size alone, which costs nothing worth naming."""

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            _CLEAR.write_text("5")  # Linux: forget the peak so far
        self._before = resident_bytes()

    def finish(self) -> dict[str, Any]:
        """Return sizes in bytes: before, after, and at most (since the process began, where that can't be reset)."""
        after = resident_bytes()
        # The kernel counts in steps, so that its peak may be a little below what was seen.
        return {"before": self._before, "after": after, "peak": max(peak_bytes(), self._before, after)}


class MemoryWatch:
    """Looks at every allocation of Python's, and at the objects before and after; makes a run several times slower.

    A run that begins while another one of this process is watched so has its sizes alone.
    """

    def __init__(self) -> None:
        self._size = NoMemoryWatch()
        self._watches = _turn.acquire(blocking=False)
        if self._watches:
            self._is_ours = not tracemalloc.is_tracing()
            if self._is_ours:
                tracemalloc.start(_FRAMES)
            self._snapshot = tracemalloc.take_snapshot()
            self._types = _count_types()

    def finish(self) -> dict[str, Any]:
        """Return sizes, and beside them what grew: `types` by name, `lines` by file:line with bytes and objects."""
        kept = self._size.finish()
        if not self._watches:
            return kept
        try:
            peak = tracemalloc.get_traced_memory()[1]
            types = _count_types()  # before the snapshot, which is made of many objects itself
            grown = tracemalloc.take_snapshot().compare_to(self._snapshot, "lineno")
        finally:
            if self._is_ours:  # else `python -X tracemalloc` or a debugger's
                tracemalloc.stop()
            _turn.release()
        return {
            **kept,
            "python_peak": peak,
            "types": _growth(self._types, types),
            "lines": [_line(statistic) for statistic in grown if _is_worth_telling(statistic)][:_SHOWN],
        }


def resident_bytes() -> int:
    """Return what the process has in memory now; zero where the system doesn't say."""
    return _status("VmRSS")


def peak_bytes() -> int:
    """Return the most that it had."""
    return _status("VmHWM")


def _status(name: str) -> int:
    try:
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    except (OSError, StopIteration):
        return 0
    return int(line.split()[1]) * _KIB


def _count_types() -> dict[str, int]:
    import objgraph  # noqa: PLC0415 nobody who is not profiled pays for it

    gc.collect()
    counts: dict[str, int] = objgraph.typestats(shortnames=False)
    return counts


def _growth(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    more = {name: count - before.get(name, 0) for name, count in after.items() if not name.startswith(_PROFILER)}
    grown = {name: count for name, count in more.items() if count > 0}
    return dict(sorted(grown.items(), key=lambda item: -item[1])[:_SHOWN])


def _is_worth_telling(statistic: tracemalloc.StatisticDiff) -> bool:
    file = statistic.traceback[0].filename
    is_watching = any(part in file for part in ("tracemalloc", "objgraph", "shared/profiling/"))
    return statistic.size_diff > _KIB and not is_watching and not file.startswith("<")


def _line(statistic: tracemalloc.StatisticDiff) -> dict[str, Any]:
    frame = statistic.traceback[0]
    file = os.path.relpath(frame.filename, ROOT) if frame.filename.startswith(str(ROOT)) else frame.filename
    return {"line": f"{file}:{frame.lineno}", "bytes": statistic.size_diff, "objects": statistic.count_diff}
