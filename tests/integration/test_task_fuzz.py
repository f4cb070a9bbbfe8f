"""S-a for gm_async_task: every route, right and wrong inputs, at tasks in every state, on every database."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from shared.task_api.client import TaskClient
from shared.task_api.worker_client import WorkerClient
from tests.support.async_task import AUTH_KEY, AppTransport, make_database, make_service
from tests.support.fuzz import Known, fuzz

INPUTS = 60
KNOWN = {
    "status": [3, 4, 5],
    "reason": ["why"],
    "reason_code": ["rows_failed", "closed"],
    "station_id": ["S001"],
    "run_count": [1, 1, 2],
    "field": ["result", "progress", "reason", "status", "message_show"],
    "postion": ["$", "$.a", "$[0]", "$.rows[0]"],
    "position": ["$"],
    "expect_run_count": [0],
    "task_name": ["demo.work"],
    "owner": ["worker|1"],
    "version": ["1.0"],
    "state": ["live", "rolled_back"],
    "percent": [0, 100],
    "name": ["worker|1"],
    "host": ["host"],
    "pid": [7],
    "queues": [["q"], []],
    "functions": [["demo.work"]],
    "concurrency": [2],
    "started_seconds": [1.5],
    "job_namespace": ["S001"],
    "job_type": ["ping"],
    "jobtag_name": ["region"],
    "jobtag_values": ["bj,gz"],
    "orderBy": ["job_cost"],
}


@pytest.mark.timeout(600)
def test_no_input_breaks_a_route(database_url: str) -> None:
    engine = make_database(database_url)
    app = make_service(engine)

    answered = fuzz(app, {"X-Auth-Key": AUTH_KEY}, INPUTS, lambda: {**KNOWN, **_seed(app), **_seed_jobs(app)})

    routes = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & {"GET", "POST"}
        if rule.rule not in ("/openapi.json", "/metrics") and not rule.rule.startswith("/static")
    }
    assert set(answered) == routes
    # Past validation and look-up: done, or refused by the state of a task that exists.
    assert [label for label, statuses in answered.items() if not statuses & {200, 409, "OK"}] == []
    engine.dispose()


def _seed(app: Flask) -> Known:
    """Make ten tasks of each state (submitted, running, ended), try a release, and return the tasks' ids."""
    client = TaskClient(AppTransport(app))
    task_ids = []
    for number in range(30):
        repeat, kind = number % 2 == 0, number % 3
        task_id = client.create("S001", "demo.work", "{}", repeat=repeat, type=kind, queue="q").task_id
        task_ids.append(task_id)
        if number % 3 > 0:
            client.start(task_id, owner="worker|1")
        if number % 3 > 1:
            client.finish(task_id, status=3 + number % 3, result={"rows": [1]}, run_count=1)
    workers = WorkerClient(AppTransport(app))
    present = workers.get_release().release
    if present is not None and present.state == "grey":
        workers.end_release(present.version, state="live")
    workers.begin_release("1.0", percent=50)
    return {"task_id": task_ids, "task_ids": [task_ids[:3], task_ids[-2:], [task_ids[0], 10**9]]}


def _seed_jobs(app: Flask) -> Known:
    """Make jobs that go on, jobs that failed, and one that was deleted; return their ids."""
    room = app.test_client()

    def call(verb: str, **given: Any) -> dict[str, Any]:
        answer = room.post(f"/xingqiao/{verb}", json=given, headers={"X-Auth-Key": AUTH_KEY}).get_json()
        assert answer["stat"] == "OK", answer
        return dict(answer)

    going_on, failed, gone = [], [], []
    for jobs in (*[going_on] * 5, *[failed] * 15, gone):
        before = TaskClient(AppTransport(app)).create("S001", "demo.work", "{}").task_id
        jobs.append(call("create_job", job_namespace="S001", job_type="ping")["job_id"])
        if jobs is failed:
            # The row of the job's first task is the one made next.
            TaskClient(AppTransport(app)).start(before + 1)
            TaskClient(AppTransport(app)).finish(before + 1, status=5, reason="on purpose", run_count=1)
    call("delete_job", job_id=gone[0])
    return {"job_id": [*going_on, *failed, *gone]}
