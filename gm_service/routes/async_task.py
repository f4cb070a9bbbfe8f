"""/async_task/*: the station's tasks for callers that follow one task by its id (docs/task-api.md section 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint
from flask import g

from gm_service.auth import Station
from gm_service.commands import CloseTask, GetTask, ListAsyncTasks
from gm_service.reasons import reason_text
from gm_service.station_tasks import StationTasks
from gm_service.task_view import AsyncTask, AsyncTaskDetail, TaskView
from shared.envelope import Envelope, success
from shared.web.params import takes


class AsyncTaskAnswer(Envelope[AsyncTask]):
    """One task."""


class AsyncTaskDetailAnswer(Envelope[AsyncTaskDetail]):
    """One task with its input and reason."""


class AsyncTaskListAnswer(Envelope[list[AsyncTask]]):
    """A page of tasks, newest first."""


class ClosedAnswer(Envelope[None]):
    """The task has ended, or was asked to."""


def async_task_routes(
    tasks: StationTasks,
    require_station: Callable[[], Station],
    reader_view: Callable[[], TaskView],
) -> APIBlueprint:
    """Return the blueprint; `require_station` tells who asks or raises, `reader_view` shows tasks to the reader."""
    routes = APIBlueprint("async_task", __name__, url_prefix="/async_task", tag="Async tasks")

    @routes.before_request
    def _signed_in() -> None:
        require_station()  # before the parameters are read: strangers learn nothing of them

    @routes.get("/get")
    @takes(GetTask, answers=AsyncTaskAnswer, location="query")
    def get(command: GetTask) -> dict[str, Any]:
        """Get one task of the station."""
        task = tasks.get(require_station().id, **command.model_dump(), without_input=True)
        return success(reader_view().async_task(task).model_dump(mode="json"))

    @routes.get("/detail")
    @takes(GetTask, answers=AsyncTaskDetailAnswer, location="query")
    def detail(command: GetTask) -> dict[str, Any]:
        """Get one task of the station with its input and reason."""
        task = tasks.get(require_station().id, **command.model_dump())
        return success(reader_view().detail(task).model_dump(mode="json"))

    @routes.get("/list")
    @takes(ListAsyncTasks, answers=AsyncTaskListAnswer, location="query")
    def list_(command: ListAsyncTasks) -> dict[str, Any]:
        """List the tasks that are shown to the station."""
        page = tasks.list(require_station().id, **command.model_dump(), without_input=True)
        view = reader_view()
        return success([view.async_task(task).model_dump(mode="json") for task in page])

    @routes.post("/close")
    @takes(CloseTask, answers=ClosedAnswer)
    def close(command: CloseTask) -> dict[str, Any]:
        """End a submitted task, ask a running one to stop; an ended one is left as it is."""
        reason = reason_text("closed", None, None, g.language)
        tasks.task_client.close(**command.model_dump(), station_id=require_station().id, reason=reason)
        return success()

    return routes
