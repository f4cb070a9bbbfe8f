"""The caller's side of the task contract, under the names that business code uses: `async_task_srv.create(...)`."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from shared.task_api.models import AddedTask, HideLeftOut, Lease, Run, StartedTask, Task, TaskStatus
from shared.task_api.transport import Transport


class TaskClient:
    """Calls gm_async_task; every method raises the `shared.errors` class that the server raised.

    Raises (all): Unavailable when the service can't be reached; TaskNotFound where a task is named.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, station_id: str, task_name: str, input: Any, **options: Any) -> AddedTask:
        """Add a task; `options` are the other fields of `commands.AddTask`.

        Idempotent by `user_task_id`. Naming a `queue` makes the platform responsible for starting it.

        Raises:
            IdReused: the user_task_id stands for another request.
        """
        data = self._post("/task/add", station_id=station_id, task_name=task_name, input=input, **options)
        return AddedTask.model_validate(data)

    def start(self, task_id: int | None = None, **options: Any) -> StartedTask:
        """Claim a task for one run; `options` are the other fields of `commands.StartTask`.

        Raises:
            NotStartable: another run has it, or it has ended.
        """
        return StartedTask.model_validate(self._post("/task/start", task_id=task_id, **options))

    def update(
        self, task_id: int | None = None, *, field: str, value: Any, postion: str | None = None, **options: Any
    ) -> bool:
        """Change one field, or one place of the result; return whether a stop was asked for."""
        # `value` may be null on the wire, so it is not dropped with the parameters that were not given.
        given = {"task_id": task_id, "field": field, "postion": postion, **options}
        parameters = {name: content for name, content in given.items() if content is not None}
        data = self._transport.call("POST", "/task/update", {**parameters, "value": value})
        return bool(data and data["stop_requested"])

    def amend(self, task_id: int, changes: Sequence[tuple[str, Any]], **options: Any) -> None:
        """Change places of an ended import's result, (postion, value) each, all of them or none.

        `options` are the other fields of `commands.AmendTask`; reason and code are taken as given, None included.

        Raises:
            TransitionRefused: the task is no import with failed rows, or would move down.
        """
        places = [{"postion": postion, "value": value} for postion, value in changes]
        self._post("/task/amend", task_id=task_id, changes=places, **options)

    def finish(
        self, task_id: int | None = None, *, status: int = TaskStatus.FINISHED, result: Any = None, **options: Any
    ) -> None:
        """End a run; repeated by the same run with the same outcome it changes nothing.

        Raises:
            StaleRun: the task is no longer this run's.
        """
        self._post("/task/finish", task_id=task_id, status=int(status), result=result, **options)

    def heartbeat(self, task_id: int, run_count: int) -> Lease:
        """Extend the lease of a run.

        Raises:
            StaleRun: the task is no longer this run's.
        """
        return Lease.model_validate(self._post("/task/heartbeat", task_id=task_id, run_count=run_count))

    def release(self, task_id: int, **options: Any) -> None:
        """Give a task back unfinished; `options` are the other fields of `commands.ReleaseTask`."""
        self._post("/task/release", task_id=task_id, **options)

    def close(self, task_id: int | None = None, **options: Any) -> None:
        """End a submitted task, ask a running one to stop; an ended one is left as it is."""
        self._post("/task/close", task_id=task_id, **options)

    def get(self, task_id: int | None = None, **options: Any) -> Task:
        """Return one task."""
        return Task.model_validate(self._get("/task/get", task_id=task_id, **options))

    def runs(self, task_id: int | None = None, **options: Any) -> builtins.list[Run]:
        """Return the runs of one task, first to last; `options` are the other fields of `commands.ListRuns`."""
        return [Run.model_validate(item) for item in self._get("/task/runs", task_id=task_id, **options)]

    def list(self, station_id: str, **options: Any) -> builtins.list[Task]:
        """Return a page of a station's tasks, newest first; `options` are the fields of `commands.ListTasks`."""
        return [Task.model_validate(item) for item in self._post("/task/list", station_id=station_id, **options)]

    def clear_show(
        self, task_ids: Sequence[int] | None = None, user_task_ids: Sequence[str] | None = None, **options: Any
    ) -> HideLeftOut | None:
        """Hide ended tasks; return what could not be hidden, None where all were."""
        ids = {"task_ids": task_ids and builtins.list(task_ids)}
        keys = {"user_task_ids": user_task_ids and builtins.list(user_task_ids)}
        left_out = self._post("/task/hide", **ids, **keys, **options)
        return HideLeftOut.model_validate(left_out) if left_out else None

    def _post(self, path: str, **parameters: Any) -> Any:
        return self._transport.call("POST", path, _given(parameters))

    def _get(self, path: str, **parameters: Any) -> Any:
        return self._transport.call("GET", path, _given(parameters))


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}
