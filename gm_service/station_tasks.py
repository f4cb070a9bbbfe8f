"""A station's tasks as its routes read them: imports are brought up to date with their rows before they are shown."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any

from gm_service.orders.imports.telling import ImportTeller
from shared.task_api.client import TaskClient
from shared.task_api.models import Run, Task, TaskStatus


@dataclass(frozen=True, slots=True)
class StationTasks:
    """Reads tasks of one station at a time.

    Raises (all): Unavailable when the task service is away.
    """

    task_client: TaskClient
    teller: ImportTeller

    def get(self, station_id: str, **options: Any) -> Task:
        """Return one task; `options` are the fields of `shared.task_api.commands.GetTask`.

        Raises:
            TaskNotFound: the station has no such task.
        """
        task = self.task_client.get(**options, station_id=station_id)
        if self.teller.catch_up(station_id, [task]):
            return self.task_client.get(**options, station_id=station_id)
        return task

    def runs(self, task: Task) -> builtins.list[Run]:
        """Return the runs of a task that was read, first to last."""
        return self.task_client.runs(task.task_id, station_id=task.station_id) if task.run_count else []

    def get_placed(self, station_id: str, **options: Any) -> Task:
        """Return what `get` does, a submitted one with its place among those that wait.

        Raises:
            TaskNotFound: the station has no such task.
        """
        task = self.get(station_id, **options)
        if task.status != TaskStatus.SUBMITTED:
            return task
        placed = self.task_client.list(station_id, task_ids=[task.task_id], with_waiting=True, without_input=True)
        return placed[0].model_copy(update={"input": task.input}) if placed else task

    def list(self, station_id: str, **options: Any) -> builtins.list[Task]:
        """Return a page of tasks that are shown; `options` are the fields of `shared.task_api.commands.ListTasks`."""
        tasks = self.task_client.list(station_id, **options, message_show=True)
        if self.teller.catch_up(station_id, tasks):
            return self.task_client.list(station_id, **options, message_show=True)
        return tasks
