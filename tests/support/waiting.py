"""Waits for conditions instead of sleeping."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def wait_for(
    condition: Callable[[], Value],
    seconds: float = 15.0,
    what: str = "it",
    not_yet: type[Exception] | tuple[type[Exception], ...] = (),
) -> Value:
    """Return the condition's first true value; exceptions of the kinds in `not_yet` count as false.

    Raises:
        AssertionError: it stayed false for `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(not_yet):
            if value := condition():
                return value
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)
