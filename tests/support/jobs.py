"""Workflow jobs for tests: the real service in this process, and a worker that does what the test says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.engine import Engine

from gm_async_task.tasks.sweep import Sweeper
from gm_async_task.workflow.room import WorkflowRoom, make_workflow_room
from shared.database import DatabaseClock
from shared.errors import NotStartable
from shared.task_api.client import TaskClient
from shared.task_api.models import StartedTask
from tests.support.async_task import AUTH_KEY, AppTransport, make_database, make_service, make_settings
from tests.support.queues import RecordingQueue

Handler = Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]


def succeed(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Do what the shipped demo handlers do."""
    params = given["params"]
    answers = {"/demo_api/hello": params, "/demo_api/collect": {"data": params.get("all_taskdata")}}
    return "OK", answers.get(given["handler"], {"randstr": "abc"})


@dataclass
class JobDesk:
    """The API of jobs, what rings for them, and who works on them."""

    engine: Engine
    clock: DatabaseClock
    queue: RecordingQueue
    settings: dict[str, Any]
    app: Flask = field(init=False)
    room: WorkflowRoom = field(init=False)
    ran: list[dict[str, Any]] = field(default_factory=list)
    """what handlers were given"""

    def __post_init__(self) -> None:
        self.app = make_service(self.engine, self.clock, self.queue, **self.settings)
        settings = make_settings(**self.settings)
        self.room = make_workflow_room(self.engine, settings, self.clock, self.queue)
        self.tasks = TaskClient(AppTransport(self.app))
        self.sweeper = Sweeper(self.engine, settings, self.clock, self.queue, follower=self.room.job_engine)

    def call(self, name: str, **parameters: Any) -> dict[str, Any]:
        """POST to the API of jobs as a holder of the service key."""
        return self.send(name, json.dumps(parameters)).json

    def send(self, name: str, body: str | bytes = b"", query: str = "", **headers: str) -> Any:
        """POST whatever stands in `body`, as curl would: as a form."""
        sent = {"X-Auth-Key": AUTH_KEY, "Content-Type": "application/x-www-form-urlencoded", **headers}
        return self.app.test_client().post(f"/xingqiao/{name}?{query}", data=body, headers=sent)

    def get(self, name: str, query: str = "", **headers: str) -> Any:
        """GET from the API of jobs as a holder of the service key."""
        return self.app.test_client().get(f"/xingqiao/{name}?{query}", headers={"X-Auth-Key": AUTH_KEY, **headers})

    def create(self, job_type: str = "ping", **parameters: Any) -> int:
        """Create a job that is accepted, and return its id."""
        answer = self.call("create_job", **{"job_namespace": "S001", "job_type": job_type, **parameters})
        assert answer["stat"] == "OK", answer
        return int(answer["job_id"])

    def detail(self, job_id: int) -> dict[str, Any]:
        """Return every column of a job."""
        return self.call("get_job_detail", job_id=job_id)["data"]

    def states(self, job_id: int) -> dict[str, str]:
        """Return the states of a job's tasks by label."""
        return {task["task_label"]: task["task_status"] for task in self.task_rows(job_id)}

    def task_rows(self, job_id: int) -> list[dict[str, Any]]:
        """Return every column of a job's tasks."""
        return self.call("list_tasks", job_id=job_id)["data"]["list"]

    def claim(self) -> tuple[StartedTask, dict[str, Any]] | None:
        """Start the first task that was rung for and can be started."""
        while self.queue.rung:
            task_id, run_count = self.queue.rung.pop(0)
            try:
                started = self.tasks.start(task_id, expect_run_count=run_count)
            except NotStartable:
                continue
            given = json.loads(started.input or "")
            self.ran.append(given)
            return started, given
        return None

    def finish(self, started: StartedTask, stat: str, result: dict[str, Any]) -> None:
        """Report the end of a handler as the worker does."""
        outcome = {"stat": stat, **result}
        reason = None if stat == "OK" else f"{stat}: it did not work"
        self.tasks.finish(
            started.task_id, status=3 if stat == "OK" else 5, result=outcome, reason=reason, run_count=started.run_count
        )

    def work(self, handler: Handler = succeed) -> None:
        """Run everything that is rung for, and what follows from it."""
        while (claimed := self.claim()) is not None:
            started, given = claimed
            self.finish(started, *handler(given))

    def sweep_after(self, seconds: float) -> None:
        """Move the clock, and let the keeper do what is due."""
        self.clock.offset_seconds += seconds
        self.sweeper.sweep()
        self.room.sweeper.sweep()


def make_desk(database_url: str, **settings: Any) -> JobDesk:
    """Return a desk on an empty database."""
    return JobDesk(make_database(database_url), DatabaseClock(), RecordingQueue(), settings)


PLUGIN = """
from xlib.taskflow.taskflow import WorkflowRunner


class Runner(WorkflowRunner):
{body}


def setup(app):
    app.register_formatter({name!r}, Runner)
"""


def write_plugin(folder: Path, name: str, body: str, file: str = "") -> Path:
    """Write a plugin file as business projects have them; `body` is the class's, unindented."""
    folder.mkdir(exist_ok=True)
    indented = "\n".join(f"    {line}" if line else "" for line in body.strip("\n").splitlines())
    path = folder / (file or f"{name}.py")
    path.write_text(PLUGIN.format(body=indented, name=name))
    return path
