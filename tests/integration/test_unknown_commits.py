"""Row 12 of the failure matrix: the connection dies at COMMIT, so that nobody knows; asking again heals it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.engine import make_url

from shared.database import make_engine
from shared.errors import Unavailable
from shared.task_api.client import TaskClient
from shared.task_api.models import TaskStatus
from tests.support.async_task import AppTransport, make_database, make_service
from tests.support.mariadb import MariaDbServer
from tests.support.proxy import Proxy

COMMIT = b"\x03COMMIT"


@pytest.fixture(params=[True, False], ids=["committed", "not committed"])
def client_and_break(
    request: pytest.FixtureRequest, mariadb_server: MariaDbServer
) -> Iterator[tuple[TaskClient, Callable[[], None]]]:
    """A client of the service, and what breaks its link at the next COMMIT, after or before the server heard it."""
    url = make_url(mariadb_server.make_url())
    make_database(url.render_as_string(hide_password=False)).dispose()
    with Proxy(url.port or 0) as link:
        engine = make_engine(url.set(port=link.port).render_as_string(hide_password=False))
        client = TaskClient(AppTransport(make_service(engine)))
        yield client, lambda: link.cut_at(COMMIT, [request.param])
        engine.dispose()


def test_an_add_asked_again_is_the_same_task(client_and_break: tuple[TaskClient, Callable[[], None]]) -> None:
    client, break_commit = client_and_break
    break_commit()

    with pytest.raises(Unavailable):
        client.create("S001", "demo.work", {"n": 1}, user_task_id="mine")
    again = client.create("S001", "demo.work", {"n": 1}, user_task_id="mine")

    assert [task.task_id for task in client.list("S001")] == [again.task_id]


def test_a_start_asked_again_is_the_same_run(client_and_break: tuple[TaskClient, Callable[[], None]]) -> None:
    client, break_commit = client_and_break
    task_id = client.create("S001", "demo.work", {}).task_id
    break_commit()

    with pytest.raises(Unavailable):
        client.start(task_id, claim_id="claim-of-this-worker")
    again = client.start(task_id, claim_id="claim-of-this-worker")

    assert (again.run_count, again.status) == (1, TaskStatus.RUNNING)


def test_an_update_and_a_finish_asked_again_happen_once(
    client_and_break: tuple[TaskClient, Callable[[], None]],
) -> None:
    client, break_commit = client_and_break
    task_id = client.create("S001", "demo.work", {}, repeat=True).task_id
    run = client.start(task_id).run_count
    break_commit()
    with pytest.raises(Unavailable):
        client.update(task_id, field="progress", value=40, run_count=run)
    client.update(task_id, field="progress", value=40, run_count=run)

    break_commit()
    with pytest.raises(Unavailable):
        client.finish(task_id, run_count=run, result={"done": 1})
    client.finish(task_id, run_count=run, result={"done": 1})

    task = client.get(task_id)
    assert (task.status, task.run_count, task.result, task.progress) == (TaskStatus.FINISHED, 1, {"done": 1}, 100)


def test_a_close_asked_again_leaves_the_task_closed(
    client_and_break: tuple[TaskClient, Callable[[], None]],
) -> None:
    client, break_commit = client_and_break
    task_id = client.create("S001", "demo.work", {}).task_id
    break_commit()

    with pytest.raises(Unavailable):
        client.close(task_id, reason="not needed")
    client.close(task_id, reason="not needed")

    task = client.get(task_id)
    assert (task.status, task.reason, task.run_count) == (TaskStatus.FAILED, "not needed", 0)
