"""/task/*: the station's tasks as its front end has always asked for them (docs/task-api.md section 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint

from gm_service.auth import Station
from gm_service.commands import ClearShow, GetTask, ListTasks
from gm_service.station_tasks import StationTasks
from gm_service.task_view import TaskItem, TaskList, TaskView
from shared.envelope import Envelope, success
from shared.task_api.models import HideLeftOut
from shared.web.params import takes


class TaskItemAnswer(Envelope[TaskItem]):
    """One task."""


class TaskListAnswer(Envelope[TaskList]):
    """A page of tasks, newest first."""


class ClearShowAnswer(Envelope[HideLeftOut | None]):
    """Null where all were hidden, else what could not be."""


def task_routes(
    tasks: StationTasks,
    require_station: Callable[[], Station],
    reader_view: Callable[[], TaskView],
) -> APIBlueprint:
    """Return the blueprint; `require_station` tells who asks or raises, `reader_view` shows tasks to the reader."""
    routes = APIBlueprint("task", __name__, url_prefix="/task", tag="Tasks")

    @routes.before_request
    def _signed_in() -> None:
        require_station()  # before the parameters are read: strangers learn nothing of them

    @routes.get("/get")
    @takes(GetTask, answers=TaskItemAnswer, location="query")
    def get(command: GetTask) -> dict[str, Any]:
        """Get one task of the station."""
        task = tasks.get(require_station().id, **command.model_dump(), without_input=True)
        return success(reader_view().item(task).model_dump(mode="json"))

    @routes.get("/list")
    @takes(ListTasks, answers=TaskListAnswer, location="query")
    def list_(command: ListTasks) -> dict[str, Any]:
        """List the tasks that are shown to the station."""
        options = {**command.model_dump(), "limit": command.page_size}
        page = tasks.list(require_station().id, **options, without_input=True)
        return success(reader_view().items(page).model_dump(mode="json"))

    @routes.post("/clear_show")
    @takes(ClearShow, answers=ClearShowAnswer)
    def clear_show(command: ClearShow) -> dict[str, Any]:
        """Hide ended tasks; those unknown or not ended are named in the answer, the others are hidden all the same."""
        left_out = tasks.task_client.clear_show(**command.model_dump(), station_id=require_station().id)
        return success(left_out.model_dump(mode="json") if left_out else None)

    return routes
