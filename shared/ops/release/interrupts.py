"""What Ctrl-C, TERM and a closed terminal mean to a release: it goes back; and while it does, nothing cuts it short."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt_when_told_to_end() -> None:
    """Let a closed terminal, and whoever ends the command gently, be as Ctrl-C."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


@contextmanager
def uninterrupted(say: Callable[[str], None], answer: str) -> Iterator[None]:
    """Have what must be done whole done: who interrupts it is given `answer`. For the main thread alone."""

    def refuse(_number: int, _frame: FrameType | None) -> None:
        say(answer)

    before = {number: signal.signal(number, refuse) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
