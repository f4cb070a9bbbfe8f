"""What a worker says of itself, what it keeps when nobody answers, and which release it names."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gm_task.presence import Identity, Presence
from gm_task.serving import KNOWN_ELSEWHERE_SECONDS, Serving
from shared.errors import Unavailable
from shared.release import present_release
from shared.task_api.fake import FakeTaskApi
from shared.task_api.transport import Method
from shared.task_api.worker_client import WorkerClient
from tests.support.waiting import wait_for

IDENTITY = Identity("w1", "host", 7, "2.0", ("q",), ("demo.work",), 2)


class Api:
    """The fake task API, which may be away."""

    def __init__(self) -> None:
        self.fake = FakeTaskApi()
        self.fake.workers.report_seconds = 0.02
        self.away = False
        self.asked = 0

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """See `Transport.call`."""
        self.asked += 1
        if self.away:
            raise Unavailable(what="task service")
        return self.fake.call(method, path, parameters)


class Place:
    """A presence under test."""

    def __init__(self) -> None:
        self.api, self.serving, self.stopping = Api(), Serving(), False
        self.presence = Presence(lambda: WorkerClient(self.api), IDENTITY, self.serving, lambda: self.stopping)

    def reported(self) -> Any:
        """Return the last report, None without one."""
        return self.api.fake.workers.present.get("w1")


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.presence.finish(5)


def _request(number: int, **headers: Any) -> Any:
    return SimpleNamespace(id=f"m{number}", name="demo.work", args=[number], request_dict=headers)


def test_a_worker_reports_itself_and_serves_what_it_is_told(place: Place) -> None:
    place.api.fake.workers.serve = ["q.grey"]
    place.serving.note_running([_request(5, run_count=1)])

    place.presence.start()
    wait_for(lambda: place.serving.queues == {"q.grey"})

    said = place.reported()
    assert (said.name, said.version, said.queues, said.functions) == ("w1", "2.0", ["q"], ["demo.work"])
    assert [(run.task_id, run.task_name, run.run_count) for run in said.runs] == [(5, "demo.work", 2)]


def test_a_worker_keeps_what_it_serves_while_the_service_is_away(place: Place) -> None:
    place.presence.start()
    wait_for(lambda: place.serving.queues == {"q"})
    place.api.away = True
    asked = place.api.asked
    wait_for(lambda: place.api.asked > asked + 1)

    assert place.serving.queues == {"q"}


def test_a_worker_that_is_told_to_stop_says_at_once_that_it_hears_nothing_and_leaves_at_its_end(place: Place) -> None:
    place.api.fake.workers.report_seconds = 60
    place.presence.start()
    wait_for(lambda: place.serving.queues == {"q"})

    place.stopping = True
    wait_for(lambda: place.reported().queues == [], 5)
    place.presence.finish(5)

    assert place.reported() is None


def test_seconds_of_a_run_count_from_when_it_was_first_seen() -> None:
    now = 100.0
    serving = Serving(lambda: now)
    serving.note_running([_request(1)])

    now = 103.0
    serving.note_running([_request(1), _request(2)])
    now = 104.0

    assert [(run["task_id"], run["seconds"]) for run in serving.report_running()] == [(1, 4.0), (2, 1.0)]
    serving.note_running([])
    assert serving.report_running() == []


def test_a_name_is_known_elsewhere_for_a_while() -> None:
    now = 0.0
    serving = Serving(lambda: now)

    serving.note_known_elsewhere("demo.work")

    assert serving.is_known_elsewhere("demo.work")
    assert not serving.is_known_elsewhere("demo.other")
    now = KNOWN_ELSEWHERE_SECONDS + 1
    assert not serving.is_known_elsewhere("demo.work")


def test_release_is_what_is_configured_else_the_packages_version() -> None:
    pyproject = Path(__file__).parents[2] / "pyproject.toml"

    assert present_release("2026.11-rc1") == "2026.11-rc1"
    assert present_release("") == tomllib.loads(pyproject.read_text())["project"]["version"]
