"""A task service that hangs is left alone after three slow failures, and tried by one call at a time."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import TaskNotFound, Unavailable
from shared.task_api.circuit import CircuitTransport


class Service:
    """Takes `seconds` of a clock of its own for each call, and fails where it is told to."""

    def __init__(self) -> None:
        self.now, self.seconds, self.calls = 0.0, 5.0, 0
        self.failure: Exception | None = Unavailable()
        self.circuit = CircuitTransport(self, lambda: self.now)

    def call(self, *_: Any) -> str:
        self.calls += 1
        self.now += self.seconds
        if self.failure:
            raise self.failure
        return "answer"

    def ask(self) -> str:
        try:
            return str(self.circuit.call("GET", "/task/get", {}))
        except Unavailable:
            return "unavailable"


def test_service_that_hangs_is_left_alone() -> None:
    service = Service()

    answers = [service.ask() for _ in range(10)]

    assert (service.calls, set(answers)) == (3, {"unavailable"})


def test_one_call_tries_after_each_pause() -> None:
    service = Service()
    for _ in range(3):
        service.ask()

    calls = []
    for _ in range(4):
        service.now += 1.0
        service.ask()
        service.ask()
        calls.append(service.calls)

    assert calls == [4, 5, 6, 7]


def test_service_that_answers_again_gets_every_call() -> None:
    service = Service()
    for _ in range(3):
        service.ask()
    service.now += 1.0
    service.failure = None

    assert [service.ask() for _ in range(3)] == ["answer"] * 3


@pytest.mark.parametrize(("seconds", "failure"), [(0.1, Unavailable()), (5.0, TaskNotFound()), (5.0, None)])
def test_what_does_not_hang_is_asked_each_time(seconds: float, failure: Exception | None) -> None:
    service = Service()
    service.seconds, service.failure = seconds, failure

    for _ in range(10):
        try:
            service.circuit.call("GET", "/task/get", {})
        except (Unavailable, TaskNotFound):
            continue

    assert service.calls == 10


def test_only_one_thread_finds_out() -> None:
    service = Service()
    for _ in range(3):
        service.ask()
    service.now += 1.0
    meanwhile: list[str] = []
    inner = service.call

    def call(*given: Any) -> str:
        meanwhile.append(service.ask())
        return inner(*given)

    service.call = call  # type: ignore[method-assign]
    service.ask()

    assert meanwhile == ["unavailable"]
