"""What is said over a script's three pipes, in one loop that never blocks: input in, JSON lines and errors out."""

from __future__ import annotations

import os
import selectors
import subprocess
from collections.abc import Callable
from typing import IO, Any

from shared.web import strict_json

MAX_LINE_BYTES = 4 * 1024 * 1024
MAX_TAIL_BYTES = 4096
_PIECE_BYTES = 65_536


class Conversation:
    """Feeds a script its input and takes in what it says; the caller turns the crank with `turn`."""

    def __init__(self, process: subprocess.Popen[bytes], given: bytes, on_progress: Callable[[int, int], None]) -> None:
        self.result: Any = None
        self.error: dict[str, Any] | None = None
        self.has_result = False
        self.flooded = False
        """a line was longer than any that a script should write"""
        self._given = memoryview(given)
        self._on_progress = on_progress
        self._line = bytearray()
        self._tail = bytearray()
        self._selector = selectors.DefaultSelector()
        self._watch(process.stdin, selectors.EVENT_WRITE, self._write)
        self._watch(process.stdout, selectors.EVENT_READ, self._read_lines)
        self._watch(process.stderr, selectors.EVENT_READ, self._read_errors)

    @property
    def is_over(self) -> bool:
        """Tell whether all pipes are closed."""
        return not self._selector.get_map()

    def turn(self, timeout_seconds: float) -> None:
        """Move what can be moved, waiting for it at most `timeout_seconds`."""
        for key, _ in self._selector.select(timeout_seconds):
            key.data(key.fileobj)

    def close(self) -> None:
        """Close what is still open."""
        for key in list(self._selector.get_map().values()):
            self._drop(key.fileobj)
        self._selector.close()

    def error_tail(self) -> str:
        """Return the last that the script wrote to stderr."""
        return self._tail.decode("utf-8", "replace").strip()

    def _watch(self, stream: IO[bytes] | None, event: int, act: Callable[[Any], None]) -> None:
        assert stream is not None  # noqa: S101 all three are pipes
        os.set_blocking(stream.fileno(), False)
        self._selector.register(stream, event, act)

    def _drop(self, stream: Any) -> None:
        self._selector.unregister(stream)
        os.set_blocking(stream.fileno(), False)
        stream.close()

    def _write(self, stream: Any) -> None:
        try:
            written = os.write(stream.fileno(), self._given[:_PIECE_BYTES]) if self._given else 0
        except BlockingIOError:
            return
        except BrokenPipeError:  # it does not want to know more
            written = len(self._given)
        self._given = self._given[written:]
        if not self._given:
            self._drop(stream)

    def _read_lines(self, stream: Any) -> None:
        piece = self._read(stream)
        *whole, rest = (bytes(self._line) + piece).split(b"\n") if b"\n" in piece else [bytes(self._line) + piece]
        self._line = bytearray(rest)
        for line in whole:
            self._take(line)
        if not piece:
            self._take(bytes(self._line))
        self.flooded = self.flooded or len(self._line) > MAX_LINE_BYTES

    def _read_errors(self, stream: Any) -> None:
        self._tail = (self._tail + self._read(stream))[-MAX_TAIL_BYTES:]

    def _read(self, stream: Any) -> bytes:
        piece = os.read(stream.fileno(), _PIECE_BYTES)
        if not piece:
            self._drop(stream)
        return piece

    def _take(self, line: bytes) -> None:
        """Understand one line; whatever is no message of ours is a stray print and stands in the tail."""
        try:
            said = strict_json.loads(line)
        except ValueError:
            said = None
        match said:
            case {"progress": {"done": int(done), "total": int(total)}}:
                self._on_progress(done, total)
            case {"result": result}:
                self.result, self.has_result = result, True
            case {"error": dict(error)}:
                self.error = error
            case _:
                self._tail = (self._tail + line + b"\n")[-MAX_TAIL_BYTES:] if line.strip() else self._tail
