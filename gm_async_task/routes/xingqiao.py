"""/xingqiao/*: jobs and their tasks (docs/workflows.md)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.routes.stat_edge import Model, install_edge, read_caller, read_command, success
from gm_async_task.workflow import commands
from gm_async_task.workflow.commands import Caller
from gm_async_task.workflow.drawing import CONTENT_TYPES
from gm_async_task.workflow.room import WorkflowRoom
from shared.web.params import described

Act = Callable[[Model, Caller], dict[str, Any] | Response]


def xingqiao_routes(room: WorkflowRoom, settings: AsyncTaskSettings) -> APIBlueprint:
    """Return the blueprint of /xingqiao/*; GET and POST are the same for holders of the service key."""
    routes = APIBlueprint("xingqiao", __name__, url_prefix="/xingqiao", tag="Workflow jobs")
    install_edge(routes)
    jobs, statistics = room.service, room.statistics

    def offer(name: str, model: type[Model], act: Act[Model], what: str) -> None:
        def view() -> dict[str, Any] | Response:
            return act(read_command(model, settings), read_caller())

        view.__doc__ = what
        shown = wraps(described(view, model, None, "query"))(view)
        routes.add_url_rule(f"/{name}", name, shown, methods=["GET", "POST"])

    def create(command: commands.CreateJob, caller: Caller) -> dict[str, Any]:
        return success(job_id=room.creation.create(command, caller))

    def delete(command: commands.OneJob, caller: Caller) -> dict[str, Any]:
        jobs.delete_job(command, caller)
        return success()

    def retry(command: commands.OneJob, caller: Caller) -> dict[str, Any]:
        return success(job_id=jobs.retry_job(command, caller))

    def graph(command: commands.GetGraph, caller: Caller) -> Response:
        return Response(jobs.get_graph(command, caller), content_type=CONTENT_TYPES[command.format])

    offer("create_job", commands.CreateJob, create, "Create a job.")
    offer("delete_job", commands.OneJob, delete, "Delete a job and its tasks.")
    offer("retry_job", commands.OneJob, retry, "Start a failed job again.")
    offer("list_plugins", commands.ListPlugins, _data(room.creation.list_plugins), "List the job types.")
    offer("list_jobs", commands.ListJobs, _data(jobs.list_jobs), "List jobs.")
    offer("get_job_detail", commands.OneJob, _data(jobs.get_job_detail), "Get one job.")
    offer("list_tasks", commands.ListTasks, _data(jobs.list_tasks), "List the tasks of a job.")
    offer("get_tasklist_by_jobid", commands.ListTasks, _data(jobs.list_tasks), "List the tasks of a job.")
    offer("list_runs", commands.ListRuns, _data(jobs.list_runs), "List the runs of a job's tasks.")
    offer("get_task", commands.GetTask, _data(jobs.get_task), "Get one task of a job.")
    offer("statistics_success_rate", commands.SuccessRate, _counted(statistics.success_rate), "Chart the success rate.")
    offer("statistics_jobtag_ratio", commands.JobtagRatio, _counted(statistics.jobtag_ratio), "Chart a tag's values.")
    offer("statistics_retstat_ratio", commands.RetstatRatio, _counted(statistics.retstat_ratio), "Chart the stats.")
    offer("get_graph", commands.GetGraph, graph, "Draw the graph of a job.")
    return routes


def _counted(count: Callable[[Model, str | None], dict[str, Any]]) -> Act[Model]:
    """Return a reader of statistics."""
    return lambda command, caller: success(data=count(command, caller.namespace))


def _data(read: Callable[[Model, Caller], dict[str, Any]]) -> Act[Model]:
    """Return a reader whose answer stands under `data`."""
    return lambda command, caller: success(data=read(command, caller))
