"""The SQL ledger of one request or run: each statement's shape, how often, how long, how many rows, and from where."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

from shared.profiling.shapes import fold

ROOT = Path(__file__).resolve().parents[2]
# Rooms through which every statement goes; who asked for it stands behind them.
_PASSAGES = tuple(str(ROOT / path) for path in ("shared/profiling/", "shared/database.py", ".venv/"))
_FOREIGN = ("/site-packages/", "/dist-packages/", f"{sys.base_prefix}/lib/", "<frozen", "<string>")
_NO_LINE = "-"
SCAN_ROWS = 1_000
"""a full scan of fewer rows is what a database does best"""


@dataclass(slots=True)
class Entry:
    """One shape of statement, issued from one line of our code."""

    shape: str
    line: str
    """file:line below the project's folder, such as gm_service/orders/store.py:88"""
    database: str = ""
    """`sqlite`, `mysql` or `mariadb`"""
    count: int = 0
    total_seconds: float = 0.0
    worst_seconds: float = 0.0
    rows: int = 0
    """read, or changed"""

    def to_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self)


@dataclass(slots=True)
class Ledger:
    """Adds statements up as they are executed."""

    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)

    def add(self, statement: str, seconds: float, rows: int, line: str, database: str) -> Entry:
        """Add one execution, whose rows may become more while they are fetched."""
        shape = fold(statement, database)
        entry = self.entries.get((shape, line))
        if entry is None:
            entry = self.entries[shape, line] = Entry(shape, line, database)
        entry.count += 1
        entry.total_seconds += seconds
        entry.worst_seconds = max(entry.worst_seconds, seconds)
        entry.rows += rows
        return entry

    def to_json(self) -> list[dict[str, Any]]:
        """Return the entries, those that took longest first."""
        return [entry.to_json() for entry in sorted(self.entries.values(), key=lambda entry: -entry.total_seconds)]


def line_of_our_code() -> str:
    """Return the nearest line on this thread's stack that is ours and not a mere passage to the database."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        ours = _ours(frame.f_code.co_filename)
        if ours is not None:
            return f"{ours}:{frame.f_lineno}"
        frame = frame.f_back
    return _NO_LINE


@lru_cache(maxsize=4096)
def _ours(file: str) -> str | None:
    if file.startswith(_PASSAGES) or any(part in file for part in _FOREIGN) or file.startswith("<"):
        return None
    path = Path(file)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else file
