"""How a worker's parent process sees that its children go on: each writes into a place of its own in shared memory."""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PLACE = struct.Struct("qdd")
"""process id, since when it runs something (0: nothing), when its watch last turned; monotonic seconds"""


class ChildPulses:
    """One place for each child; made before the fork."""

    def __init__(self, children: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._children = children
        self._memory = mmap.mmap(-1, children * _PLACE.size)
        self._clock = clock
        self._place: int | None = None
        self._since = 0.0

    def take_place(self, index: int) -> None:
        """Say in a child, at its start, which of them it is; a child that was there before is gone."""
        self._place = index % self._children
        self._write(0.0)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Say that this child runs something, as long as the block lasts."""
        self._write(self._clock())
        try:
            yield
        finally:
            self._write(0.0)

    def turn(self) -> None:
        """Say that this child goes on."""
        if self._place is not None and self._since:
            self._write(self._since)

    def stalled(self, seconds: float) -> Iterator[tuple[int, float]]:
        """Yield process id and seconds of standing still, for each child that does so for longer than `seconds`."""
        for process, since, turned in self._places():
            age = self._clock() - turned
            if since and age > seconds:
                yield process, age

    def ages(self) -> list[float]:
        """Return for how many seconds each run is under way."""
        return [self._clock() - since for _, since, _ in self._places() if since]

    def _places(self) -> Iterator[tuple[int, float, float]]:
        for index in range(self._children):
            process, since, turned = _PLACE.unpack_from(self._memory, index * _PLACE.size)
            yield process, since, turned

    def _write(self, since: float) -> None:
        if self._place is not None:
            self._since = since
            _PLACE.pack_into(self._memory, self._place * _PLACE.size, os.getpid(), since, self._clock())
