"""Asks what may hang, and waits for it no longer than told: a thread goes on waiting, never more than one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Inquiry(Generic[Value]):
    """One question that is asked again and again; while an answer is outstanding, all askers wait for that one."""

    def __init__(self, ask: Callable[[], Value]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asked: tuple[float, Future[Value]] | None = None

    def begin(self) -> None:
        """Ask, unless an answer is outstanding."""
        self._begin()

    def get(self, seconds: float) -> Value:
        """Return the answer, at the latest `seconds` after the question was put.

        Raises:
            TimeoutError: it is not there by then.
            Exception: what asking raised.
        """
        began, answer = self._begin()
        return answer.result(timeout=max(0.0, began + seconds - time.monotonic()))

    def _begin(self) -> tuple[float, Future[Value]]:
        with self._lock:
            if self._asked is None or self._asked[1].done():
                self._asked = time.monotonic(), Future()
                threading.Thread(target=self._answer, args=(self._asked[1],), name="inquiry", daemon=True).start()
            return self._asked

    def _answer(self, answer: Future[Value]) -> None:
        try:
            answer.set_result(self._ask())
        except BaseException as error:  # it belongs to whoever asked
            answer.set_exception(error)
