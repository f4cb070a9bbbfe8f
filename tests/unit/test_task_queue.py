"""What a sender does when the broker does not take its message."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from shared.broker.queue import PAUSE_SECONDS, TaskQueue
from shared.errors import Unavailable


class App:
    """What a TaskQueue needs of Celery: answers each send with the next of `answers`, an error or None."""

    conf = SimpleNamespace(broker_url="amqp://h//")

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.sent = 0

    def send_task(self, *_: Any, **__: Any) -> None:
        self.sent += 1
        if (answer := self.answers.pop(0)) is not None:
            raise answer

    def connection_for_write(self) -> Any:
        return SimpleNamespace(connection_errors=(), channel_errors=())


def _send(queue: TaskQueue) -> None:
    queue.send_task("shop.work", [1], queue="gm_task")


def test_a_pooled_connection_that_died_meanwhile_is_tried_again_at_once() -> None:
    app = App(ConnectionResetError(), None)

    _send(TaskQueue(app))  # type: ignore[arg-type]

    assert app.sent == 2


def test_a_broker_that_is_away_is_left_alone_for_a_while() -> None:
    app = App(ConnectionRefusedError(), ConnectionRefusedError(), None)
    now = [0.0]
    queue = TaskQueue(app, clock=lambda: now[0])  # type: ignore[arg-type]

    for _ in range(3):
        with pytest.raises(Unavailable):
            _send(queue)
    sent_meanwhile = app.sent
    now[0] += PAUSE_SECONDS
    _send(queue)

    assert (sent_meanwhile, app.sent) == (2, 3)


def test_what_is_wrong_with_the_call_is_no_fault_of_the_broker() -> None:
    app = App(TypeError("not a name"))

    with pytest.raises(TypeError):
        _send(TaskQueue(app))  # type: ignore[arg-type]

    assert app.sent == 1
