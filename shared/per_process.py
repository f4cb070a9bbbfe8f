"""Things that must not cross a fork, such as connections."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class PerProcess(Generic[Value]):
    """Makes its value when first asked for, and anew in every forked process."""

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._made: tuple[int, Value] | None = None

    def get(self) -> Value:
        """Return this process's value."""
        process = os.getpid()
        if self._made is None or self._made[0] != process:
            self._made = (process, self._make())
        return self._made[1]
