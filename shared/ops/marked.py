"""The processes of one folder's run: found by the mark that each inherits, ended through their supervisor."""

from __future__ import annotations

import secrets
import signal
from pathlib import Path

from shared.ops import processes
from shared.ops.env_file import write_whole

STOP_SECONDS = 300
"""supervisord stops one priority after the other, each within its stopwaitsecs"""


class MarkedRun:
    """What runs for `folder`; the mark is no part of its `env`, which people load into their shells."""

    def __init__(self, folder: Path) -> None:
        self._pid_file = folder / "supervisord.pid"
        self._mark_file = folder / "mark"

    def environment(self) -> dict[str, str]:
        """Return what marks a process and all that it starts; the folder must exist."""
        if not self._mark_file.exists():
            write_whole(self._mark_file, secrets.token_hex(16))
        return {processes.MARK: self._mark()}

    def is_supervised(self) -> bool:
        """Tell whether a supervisord runs."""
        return self._supervisor() in self._find()

    def end(self) -> int:
        """End every process, first gently; return how many there were."""
        supervisor, running = self._supervisor(), self._find()
        if not running:
            return 0
        # Its supervisor ends the others in order; without one they are asked one by one.
        processes.end([supervisor] if supervisor in running else running, signal.SIGTERM)
        if not self._wait_gone(STOP_SECONDS):
            processes.end(self._find(), signal.SIGKILL)
            self._wait_gone(5)
        return len(running)

    def _mark(self) -> str:
        return self._mark_file.read_text() if self._mark_file.exists() else ""

    def _supervisor(self) -> int | None:
        try:
            return int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None

    def _find(self) -> list[int]:
        return processes.find_marked(self._mark(), self._supervisor(), self._mark_file)

    def _wait_gone(self, seconds: float) -> bool:
        return processes.wait_gone(self._mark(), self._supervisor(), seconds, self._mark_file)
