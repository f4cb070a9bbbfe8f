"""Keeps the last lines that a run logs, so that people who watch it read them without the worker's log files."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from structlog.typing import EventDict, WrappedLogger

MOST_LINES = 200
MOST_CHARACTERS = 32 * 1024
"""of all lines together; the oldest go first"""
MAX_LINE_CHARACTERS = 2000
_LEFT_OUT = {"event", "timestamp", "level", "service", "exception", "request_id", "task_id", "run_count"}
_FOLDERS = re.compile(r'(?<=File ")[^"\n]*/(?=[^"/\n]+/[^"/\n]+")')
"""of a traceback's lines, all but the last one: where the worker is installed is nobody's business"""


class RunLog:
    """The lines of one run; any thread may read them."""

    def __init__(self) -> None:
        self._lines: deque[dict[str, str]] = deque(maxlen=MOST_LINES)

    def add(self, moment: float, level: str, text: str) -> None:
        """Note a line; `moment` in seconds since 1970."""
        text = text.replace("\0", "␀").encode("utf-8", "backslashreplace").decode()
        if len(text) > MAX_LINE_CHARACTERS:
            text = text[: MAX_LINE_CHARACTERS // 2 - 3] + " … " + text[-MAX_LINE_CHARACTERS // 2 :]
        self._lines.append({"at": datetime.fromtimestamp(moment, UTC).isoformat(), "level": level, "text": text})

    def lines(self) -> list[dict[str, str]] | None:
        """Return the last lines, each with at, level and text, first to last; None where there are none."""
        kept: deque[dict[str, str]] = deque()
        room = MOST_CHARACTERS
        for line in reversed(list(self._lines)):
            room -= len(line["text"])
            if room < 0:
                break
            kept.appendleft(line)
        return list(kept) or None


_present: ContextVar[RunLog | None] = ContextVar("run_log", default=None)


@contextmanager
def collected_log() -> Iterator[RunLog]:
    """Collect what is logged inside the block, where a `RunLogHandler` listens."""
    run_log = RunLog()
    token = _present.set(run_log)
    try:
        yield run_log
    finally:
        _present.reset(token)


class RunLogHandler(logging.Handler):
    """Gives what is logged in a run to its log; its formatter must end with `render_line`."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        run_log = _present.get()
        if run_log is None:
            return
        try:
            run_log.add(record.created, record.levelname.lower(), self.format(record))
        except Exception:  # as every handler of logging: a line is never why something fails
            self.handleError(record)


def render_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Return an event as people read it: its name, its facts, and a traceback below them."""
    facts = [f"{name}={_shown(value)}" for name, value in event.items() if name not in _LEFT_OUT]
    text = " ".join([str(event.get("event", "")), *facts])
    return f"{text}\n{_FOLDERS.sub('…/', str(event['exception']))}" if event.get("exception") else text


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) and " " in value else str(value)
