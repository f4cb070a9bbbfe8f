"""A station's and a business project's day in a minute: tasks of every kind, submitted whatever is being restarted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from shared.errors import PlatformError
from tests.support.cluster import QUEUE
from tests.support.import_jobs import order_rows
from tests.support.supervised import SupervisedHost

FUNCTIONS = "tests.support.task_functions."
ROWS = 10
_GIVE_UP_SECONDS = 60.0


@dataclass
class MixedLoad:
    """Submits from threads of its own; each caller repeats what was not answered, under the same id, as it should."""

    host: SupervisedHost
    at_most: int
    pause_seconds: float
    once: list[int] = field(default_factory=list)
    """tasks that may not run twice, and leave a line each time that they do"""
    repeatable: list[int] = field(default_factory=list)
    imports: list[int] = field(default_factory=list)
    exports: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __enter__(self) -> MixedLoad:
        self._stopping = threading.Event()
        self._numbers = iter(range(self.at_most))
        self._choosing = threading.Lock()
        self._threads = [threading.Thread(target=self._work) for _ in range(4)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def everything(self) -> list[int]:
        """Return the ids of all tasks so far."""
        return [*self.once, *self.repeatable, *self.imports, *self.exports]

    def wait_until(self, count: int) -> None:
        """Return when so many were submitted."""
        deadline = time.monotonic() + 120
        while len(self.everything()) < count:
            assert time.monotonic() < deadline, f"{len(self.everything())} of {count} tasks, {self.problems}"
            time.sleep(0.05)

    def _work(self) -> None:
        while not self._stopping.wait(self.pause_seconds * len(self._threads)):
            with self._choosing:
                number = next(self._numbers, None)
            if number is None:
                return
            self._submit(number)

    def _submit(self, number: int) -> None:
        kind = number % 10
        if kind < 5:
            given = {"seconds": 0.05, "effects": str(self.host.effects)}
            self.once.append(self._patiently(lambda: self._add(number, "note_effect", given)))
        elif kind < 8:
            given = {"n": number}
            self.repeatable.append(self._patiently(lambda: self._add(number, "double", given, repeat=True)))
        elif kind == 8:
            self.imports.append(self._patiently(lambda: self._import(number)))
        else:
            self.exports.append(self._patiently(lambda: self._export(number)))

    def _patiently(self, call: Callable[[], int]) -> int:
        deadline = time.monotonic() + _GIVE_UP_SECONDS
        while True:
            try:
                return call()
            except (requests.RequestException, PlatformError, ValueError) as error:
                if time.monotonic() > deadline:
                    self.problems.append(str(error))
                    raise
                time.sleep(0.2)

    def _add(self, number: int, function: str, given: dict[str, Any], **options: Any) -> int:
        name = FUNCTIONS + function
        return self.host.tasks.create(
            "S001", name, given, queue=QUEUE, user_task_id=f"mixed-{number}", **options
        ).task_id

    def _import(self, number: int) -> int:
        body = {
            "task_id": f"mixed-{number}",
            "time_config_id": "whole-day",
            "file_name": "m.xlsx",
            "order_data": order_rows(ROWS, f"mixed-{number}-", bad_every=ROWS + 1),
        }
        answer = self.host.first.post("/station/order/batch/submit", body)
        return int(_data_of(answer)["task_url"].rpartition("=")[2])

    def _export(self, number: int) -> int:
        day = f"2010-12-{1 + number % 20:02}"
        query = {"query_type": 1, "start_date": day, "end_date": "2010-12-23"}
        answer = self.host.first.get(
            "/station/sales_analysis/orderdetail", headers={"Prefer": "respond-async"}, **query
        )
        return int(_data_of(answer)["task_id"])


def _data_of(answer: requests.Response) -> dict[str, Any]:
    """Return the data of a success; what is to be repeated raises, what will never do fails."""
    if answer.status_code >= 500:
        raise ValueError(answer.text)
    body = answer.json()
    assert body["code"] == 0, body
    data: dict[str, Any] = body["data"]
    return data
