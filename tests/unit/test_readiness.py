"""/readyz says what is missing, and waits for nobody beyond its deadline."""

from __future__ import annotations

import threading

from shared.errors import Unavailable
from shared.web.readiness import Readiness


def test_everything_there_is_nothing_missing() -> None:
    assert Readiness({"database": lambda: None}).find_missing() == {}


def test_each_thing_that_is_missing_is_named_without_its_secrets() -> None:
    def refuse() -> None:
        raise ValueError("mysql://root:secretword@host refused")

    def away() -> None:
        raise Unavailable(what="task service")

    missing = Readiness({"database": refuse, "task service": away, "disk": lambda: None}).find_missing()

    assert missing == {
        "database": "it fails (ValueError)",
        "task service": "The task service does not answer right now; try again in 2 seconds.",
    }


def test_what_hangs_is_asked_once_and_not_waited_for() -> None:
    asked, may_end = [], threading.Event()

    def hang() -> None:
        asked.append(threading.current_thread().name)
        may_end.wait(60)

    readiness = Readiness({"task service": hang, "database": lambda: None}, seconds=0.05)
    missing = [readiness.find_missing() for _ in range(5)]
    may_end.set()

    assert missing == [{"task service": "it does not answer in time"}] * 5
    assert len(asked) == 1
