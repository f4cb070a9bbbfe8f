"""What workers are promised, asked of the fake and of the real service through the real client: both must pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from gm_async_task.tasks.sweep import Sweeper
from shared.database import DatabaseClock
from shared.task_api.client import TaskClient
from shared.task_api.fake import FakeTaskApi
from shared.task_api.models import TaskStatus
from shared.task_api.transport import Transport
from shared.task_api.worker_client import WorkerClient
from shared.task_api.workers import Presence
from tests.support.async_task import AppTransport, make_database, make_service, make_settings
from tests.support.queues import SilentQueue

NAME = "demo.work"
GRACE_SECONDS = 60.0


@dataclass
class Api:
    """One implementation under test: its clients, and what makes time pass in it."""

    transport: Transport
    pass_seconds: Callable[[float], None]

    @property
    def workers(self) -> WorkerClient:
        return WorkerClient(self.transport)

    @property
    def tasks(self) -> TaskClient:
        return TaskClient(self.transport)

    def report(self, name: str = "w1", functions: tuple[str, ...] = (), **changes: Any) -> Presence:
        """Report a worker."""
        place = {"host": "h", "pid": 7, "version": "1", "queues": ["q"], "concurrency": 2}
        given = {**place, "runs": [], "started_seconds": 1.5, **changes}
        return self.workers.report(name=name, functions=list(functions), **given)

    def added(self, **changes: Any) -> int:
        """Add a task and return its id."""
        return self.tasks.create(
            **{"station_id": "S001", "task_name": NAME, "input": "{}", "queue": "q", **changes}
        ).task_id

    def refused(self, task_id: int, name: str = NAME, **options: Any) -> bool:
        """Give a bell back."""
        return self.workers.refuse(task_id, task_name=name, worker="w1", **options)


@pytest.fixture(params=["fake", "sqlite", "mariadb"])
def api(request: pytest.FixtureRequest, make_database_url: Callable[[str], str]) -> Iterator[Api]:
    """The fake, and the service on each kind of database that this machine has."""
    if request.param == "fake":
        fake = FakeTaskApi(unknown_name_seconds=GRACE_SECONDS)

        def move(seconds: float) -> None:
            fake.now_seconds += seconds

        yield Api(fake, move)
        return
    engine, clock = make_database(make_database_url(request.param)), DatabaseClock()
    sweeper = Sweeper(engine, make_settings(), clock, SilentQueue())

    def pass_seconds(seconds: float) -> None:
        clock.offset_seconds += seconds
        sweeper.sweep()

    yield Api(AppTransport(make_service(engine, clock, unknown_name_seconds=GRACE_SECONDS)), pass_seconds)
    engine.dispose()


def test_a_worker_is_told_to_serve_what_it_is_set_up_for(api: Api) -> None:
    answer = api.report(queues=["q", "r"])

    assert (answer.serve, answer.report_seconds, answer.drained) == (["q", "r"], 5.0, False)


def test_leaving_may_be_repeated(api: Api) -> None:
    api.report("w1")

    api.workers.leave("w1")
    api.workers.leave("w1")


def test_a_refused_task_whose_name_nobody_knows_waits_and_then_ends_with_the_reason(api: Api) -> None:
    task_id = api.added()

    assert api.refused(task_id) is False
    api.pass_seconds(GRACE_SECONDS - 5)
    assert api.refused(task_id) is False
    assert api.tasks.get(task_id).status == TaskStatus.SUBMITTED
    api.pass_seconds(6)
    assert api.refused(task_id) is False

    task = api.tasks.get(task_id)
    assert (task.status, task.reason_code) == (TaskStatus.FAILED, "unknown_function")
    assert task.reason == f"No worker has the function {NAME}."


def test_a_refused_task_is_handed_back_as_long_as_a_worker_knows_its_name(api: Api) -> None:
    task_id = api.added()
    api.report("new", (NAME,))

    handed_back = [api.refused(task_id) for _ in range(5)]

    assert handed_back == [True] * 5
    assert api.tasks.get(task_id).status == TaskStatus.SUBMITTED


def test_waiting_begins_anew_after_a_worker_knew_the_name(api: Api) -> None:
    task_id = api.added()
    api.refused(task_id)
    api.report("new", (NAME,))
    api.refused(task_id)
    api.workers.leave("new")
    api.pass_seconds(GRACE_SECONDS + 1)

    assert api.refused(task_id) is False
    assert api.tasks.get(task_id).status == TaskStatus.SUBMITTED


def test_waiting_begins_anew_after_a_run(api: Api) -> None:
    task_id = api.added(repeat=True)
    api.refused(task_id)
    api.tasks.start(task_id)
    api.tasks.release(task_id, run_count=1)
    api.pass_seconds(GRACE_SECONDS + 1)

    api.refused(task_id)

    assert api.tasks.get(task_id).status == TaskStatus.SUBMITTED


def test_nothing_happens_to_a_task_of_another_name_or_that_is_not_waiting_or_not_there(api: Api) -> None:
    named_otherwise, running = api.added(), api.added()
    api.tasks.start(running)

    for _ in range(2):
        assert api.refused(named_otherwise, "demo.other") is False
        assert api.refused(running) is False
        assert api.refused(10**6) is False
        api.pass_seconds(20)

    assert api.tasks.get(named_otherwise).status == TaskStatus.SUBMITTED
    assert api.tasks.get(running).status == TaskStatus.RUNNING


def test_a_refused_task_without_a_queue_keeps_the_one_that_its_bell_came_by(api: Api) -> None:
    task_id = api.added(queue=None)

    api.refused(task_id, queue="q")

    assert api.tasks.get(task_id).queue == "q"


def test_adding_says_which_queue_to_ring(api: Api) -> None:
    with_queue = api.tasks.create("S001", NAME, "{}", queue="q", user_task_id="mine")
    again = api.tasks.create("S001", NAME, "{}", queue="q", user_task_id="mine")

    assert (with_queue.queue, again.queue) == ("q", "q")
    assert api.tasks.create("S001", NAME, "{}").queue is None
