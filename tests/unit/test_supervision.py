"""A worker's parent ends in bounded time, whatever waits for a task service that is away; and workers' names."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest

from gm_task import supervision
from gm_task.app import name_worker
from gm_task.runner import MAX_OWNER_CHARACTERS, owner_name
from gm_task.serving import Serving
from gm_task.supervision import Supervision
from shared.context import new_id
from shared.task_api.transport import Method


class Hanging:
    """A task service that answers nobody until it is told to."""

    def __init__(self) -> None:
        self.asked, self.answers = threading.Event(), threading.Event()

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """See `Transport.call`."""
        self.asked.set()
        self.answers.wait(30)
        return {"handed_back": False}


class Bell:
    """A message for a function that nobody has."""

    payload = ([1], {}, {})
    delivery_info = None


def test_the_end_waits_no_longer_than_told_though_as_much_waits_as_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "_MAX_WAITING", 2)
    service = Hanging()
    parent = Supervision(lambda: service, "w1", Serving())
    parent.on_task_unknown(name="x.y", message=Bell())
    assert service.asked.wait(5)
    for _ in range(3):
        parent.on_task_unknown(name="x.y", message=Bell())

    began = time.monotonic()
    parent.finish(0.2)
    took = time.monotonic() - began
    service.answers.set()

    assert took < 5


def test_two_workers_have_two_names_though_host_and_process_id_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    host = "a-deployment-whose-name-is-long-7d9f8b6c5d-x2x9z"
    monkeypatch.setattr("socket.gethostname", lambda: host)
    monkeypatch.setattr(os, "getpid", lambda: 1)

    names = {name_worker() for _ in range(2)}

    assert len(names) == 2
    assert all(name.endswith(host[-20:]) for name in names), "what tells hosts apart stands at the end"
    assert all(len(owner_name(f"{name}9999999", new_id())) <= MAX_OWNER_CHARACTERS for name in names)
