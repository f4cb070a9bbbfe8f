"""/task/explain on the real service: what is read is what the sentences say."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import TaskNotFound
from shared.task_api.client import TaskClient
from shared.task_api.worker_client import WorkerClient
from tests.support.async_task import AppTransport, make_database, make_service


class Service:
    """The task service, with a worker that reports what the test says."""

    def __init__(self, url: str) -> None:
        transport = AppTransport(make_service(make_database(url), presence_seconds=5))
        self.tasks, self.workers = TaskClient(transport), WorkerClient(transport)

    def report(self, **changes: Any) -> None:
        given = {"host": "h", "pid": 7, "queues": ["q"], "concurrency": 1, "runs": [], "started_seconds": 60}
        self.workers.report(**{"name": "w", "version": "1", "functions": ["demo.work"], **given, **changes})

    def add(self) -> int:
        return self.tasks.create("S001", "demo.work", {}, queue="q").task_id


@pytest.fixture
def service(database_url: str) -> Service:
    """An empty service on each database."""
    return Service(database_url)


def test_a_task_without_workers_is_told_so(service: Service) -> None:
    task_id = service.add()

    explained = service.workers.explain(task_id)

    assert (explained.task_id, explained.queue, explained.ahead) == (task_id, "q", 0)
    assert "No live worker takes from the queue q" in explained.told[0]


def test_a_task_behind_others_is_told_how_many(service: Service) -> None:
    task_ids = [service.add() for _ in range(3)]
    run = {"task_id": 99, "task_name": "demo.work", "run_count": 1, "seconds": 4.0}
    service.report(runs=[run])

    explained = service.workers.explain(task_ids[-1])

    assert explained.ahead == 2
    assert explained.told[0] == "All 1 places of the workers of q are taken; 2 tasks are before it."


def test_a_task_of_a_function_that_the_workers_lack_is_told_so(service: Service) -> None:
    service.report(functions=["demo.other"])

    assert (
        "None of the 1 workers of the queue q has the function demo.work"
        in (service.workers.explain(service.add()).told[0])
    )


def test_a_running_task_is_told_by_whom_and_for_how_long(service: Service) -> None:
    task_id = service.add()
    service.tasks.start(task_id, owner="w|1")
    running = service.workers.explain(task_id)
    service.tasks.close(task_id)
    stopping = service.workers.explain(task_id)

    assert running.told[0].startswith("w|1 runs it for 0 s and was heard of; its lease has ")
    assert any("asked to stop it" in told for told in stopping.told)


def test_an_ended_task_is_told_with_its_reason(service: Service) -> None:
    task_id = service.add()
    service.tasks.close(task_id, reason="not wanted")

    assert service.workers.explain(task_id).told == ["It has ended: not wanted"]


def test_an_unknown_task_is_not_found(service: Service) -> None:
    with pytest.raises(TaskNotFound):
        service.workers.explain(1)
