"""/task/*: the internal task API of docs/task-api.md section 3."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel

from gm_async_task.tasks.runs import RunService
from gm_async_task.tasks.service import TaskService
from shared.envelope import Envelope, success
from shared.task_api import commands
from shared.task_api.models import AddedTask, HideLeftOut, Lease, Run, Signals, StartedTask, Task
from shared.web.params import takes


class AddAnswer(Envelope[AddedTask]):
    """The id of the added task."""


class StartAnswer(Envelope[StartedTask]):
    """The claimed task and its lease."""


class UpdateAnswer(Envelope[Signals | None]):
    """For a running task: whether it should stop."""


class LeaseAnswer(Envelope[Lease]):
    """The lease as extended."""


class TaskAnswer(Envelope[Task]):
    """One task."""


class TasksAnswer(Envelope[list[Task]]):
    """A page of tasks."""


class RunsAnswer(Envelope[list[Run]]):
    """The runs of one task."""


class HideAnswer(Envelope[HideLeftOut | None]):
    """What could not be hidden."""


class DoneAnswer(Envelope[None]):
    """Done; there is nothing more to say."""


def task_routes(tasks: TaskService, runs: RunService) -> APIBlueprint:
    """Return the blueprint of /task/*."""
    routes = APIBlueprint("task", __name__, url_prefix="/task")

    @routes.post("/add")
    @takes(commands.AddTask, answers=AddAnswer, max_body="max_batch_body_bytes")
    def add(command: commands.AddTask) -> dict[str, Any]:
        return success(_wire(tasks.add_task(command)))

    @routes.post("/start")
    @takes(commands.StartTask, answers=StartAnswer)
    def start(command: commands.StartTask) -> dict[str, Any]:
        return success(_wire(runs.start_task(command)))

    @routes.post("/update")
    @takes(commands.UpdateTask, answers=UpdateAnswer, max_body="max_batch_body_bytes")
    def update(command: commands.UpdateTask) -> dict[str, Any]:
        return success(_wire(runs.update_task(command)))

    @routes.post("/amend")
    @takes(commands.AmendTask, answers=DoneAnswer, max_body="max_batch_body_bytes")
    def amend(command: commands.AmendTask) -> dict[str, Any]:
        runs.amend_task(command)
        return success()

    @routes.post("/finish")
    @takes(commands.FinishTask, answers=DoneAnswer, max_body="max_batch_body_bytes")
    def finish(command: commands.FinishTask) -> dict[str, Any]:
        runs.finish_task(command)
        return success()

    @routes.post("/heartbeat")
    @takes(commands.Heartbeat, answers=LeaseAnswer)
    def heartbeat(command: commands.Heartbeat) -> dict[str, Any]:
        return success(_wire(runs.heartbeat(command)))

    @routes.post("/release")
    @takes(commands.ReleaseTask, answers=DoneAnswer)
    def release(command: commands.ReleaseTask) -> dict[str, Any]:
        runs.release_task(command)
        return success()

    @routes.post("/close")
    @takes(commands.CloseTask, answers=DoneAnswer)
    def close(command: commands.CloseTask) -> dict[str, Any]:
        tasks.close_task(command)
        return success()

    @routes.route("/get", methods=["GET", "POST"])
    @takes(commands.GetTask, answers=TaskAnswer, location="query")
    def get(command: commands.GetTask) -> dict[str, Any]:
        return success(_wire(tasks.get_task(command)))

    @routes.route("/list", methods=["GET", "POST"])
    @takes(commands.ListTasks, answers=TasksAnswer, location="query")
    def list_(command: commands.ListTasks) -> dict[str, Any]:
        return success([_wire(task) for task in tasks.list_tasks(command)])

    @routes.route("/runs", methods=["GET", "POST"])
    @takes(commands.ListRuns, answers=RunsAnswer, location="query")
    def list_runs(command: commands.ListRuns) -> dict[str, Any]:
        return success([_wire(run) for run in tasks.list_runs(command)])

    @routes.post("/hide")
    @takes(commands.HideTasks, answers=HideAnswer)
    def hide(command: commands.HideTasks) -> dict[str, Any]:
        return success(_wire(tasks.hide_tasks(command)))

    return routes


def _wire(model: BaseModel | None) -> Any:
    return model.model_dump(mode="json") if model is not None else None
