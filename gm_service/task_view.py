"""What gm_service shows of a task: the contract's fields and no more, reasons in the reader's language.

Leases, owners, queues and paths of the file system stay inside.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from gm_service.reasons import reason_text
from shared.errors import Language
from shared.task_api.models import ENDED, MOST_AHEAD, Run, Task, TaskStatus, TaskType, without_rows
from shared.web import strict_json

_SHOWN_OF_EXPORT = ("file_name", "orders", "rows", "bytes", "sha256")
_LONGEST_INPUT = 20_000
_POLLS = ((20, 1.0), (200, 2.0), (sys.maxsize, 5.0))
"""(tasks that go on, seconds)"""
_COUNTS_OF_IMPORT = ("total", "created", "failed", "not_attempted")


class TaskItem(BaseModel):
    """A task as /task/get and /task/list have it."""

    task_id: int
    user_task_id: str | None
    task_name: str
    status: TaskStatus
    reason: str | None
    progress: int | None
    type: int
    result: Any


class TaskList(BaseModel):
    """A page of tasks."""

    finish: bool
    """every listed task has ended"""
    tasks: list[TaskItem]


class AsyncTask(BaseModel):
    """A task as /async_task/get and /async_task/list have it; ids are text here."""

    task_id: str
    user_task_id: str | None
    status: TaskStatus
    create_time: datetime
    modify_time: datetime
    start_time: datetime | None
    end_time: datetime | None
    result: Any


class AsyncTaskDetail(AsyncTask):
    """A task as /async_task/detail has it."""

    input: str | None
    reason: str | None


class CentreTask(BaseModel):
    """A row of the task centre: small whatever the task's result holds, as it is asked for every second."""

    task_id: int
    status: TaskStatus
    reason: str | None
    reason_code: str | None
    """`closed` where a person stopped it, which is no failure"""
    progress: int | None
    type: int
    business_id: int
    business_name: str
    """as submitted, in the submitter's language"""
    file_name: str | None
    link: str | None
    counts: dict[str, int]
    """of an import: total, created, failed, not_attempted; of an export: rows, bytes"""
    submitted_by: str | None
    create_time: datetime
    modify_time: datetime
    start_time: datetime | None
    run_start: datetime | None
    """of the last run"""
    end_time: datetime | None
    run_count: int
    lost_runs: int
    stop_requested: bool
    ahead: int | None
    """how many are before a submitted one"""
    place_beyond: int | None
    """of a submitted one that has more before it than are counted: the place that it is beyond"""
    starts_in_seconds: int | None


class CentreTasks(BaseModel):
    """What the task centre polls."""

    finish: bool
    tasks: list[CentreTask]
    more: bool
    """there are older tasks on the next page"""
    poll_seconds: float
    """when to ask again where something goes on"""


class ShownRun(BaseModel):
    """One run of a task, as its timeline has it."""

    run_count: int
    sent_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    """None while it goes on"""
    status: TaskStatus
    """the task's after it: submitted where it waited again"""
    reason_code: str | None


class TaskPage(BaseModel):
    """What the page of one task shows."""

    task: CentreTask
    runs: list[ShownRun]
    input: Any
    """parsed where it is JSON; None where it is too long to be read by people"""
    result: Any
    """without rows, which /station/order/batch/rows gives"""


@dataclass(frozen=True, slots=True)
class TaskView:
    """Shows tasks to one reader."""

    language: Language
    public_url: str

    def item(self, task: Task) -> TaskItem:
        """Return the task for /task/get and /task/list."""
        return TaskItem(
            task_id=task.task_id,
            user_task_id=task.user_task_id,
            task_name=task.task_name,
            status=task.status,
            reason=self.reason(task),
            progress=task.progress,
            type=task.type,
            result=self.result(task),
        )

    def items(self, tasks: list[Task]) -> TaskList:
        """Return a page for /task/list."""
        return TaskList(finish=have_ended(tasks), tasks=[self.item(task) for task in tasks])

    def async_task(self, task: Task) -> AsyncTask:
        """Return the task for /async_task/get and /async_task/list."""
        return AsyncTask(**self._async_fields(task))

    def detail(self, task: Task) -> AsyncTaskDetail:
        """Return the task for /async_task/detail."""
        return AsyncTaskDetail(**self._async_fields(task), input=task.input, reason=self.reason(task))

    def centre(self, tasks: list[Task], file_names: dict[int, str], *, more: bool) -> CentreTasks:
        """Return a page for the task centre, of tasks that were asked for with their places.

        `file_names` are those that results don't have yet, by task id.
        """
        shown = [self._centre_task(task, file_names.get(task.task_id)) for task in tasks]
        active = sum(task.status not in ENDED for task in tasks)
        return CentreTasks(finish=active == 0, tasks=shown, more=more, poll_seconds=poll_seconds(active))

    def page(self, task: Task, runs: list[Run]) -> TaskPage:
        """Return what the page of one task, with its place, shows."""
        return TaskPage(
            task=self._centre_task(task, None),
            runs=[ShownRun(**run.model_dump(include=set(ShownRun.model_fields))) for run in runs],
            input=_readable(task.input),
            result=without_rows(self.result(task)),
        )

    def reason(self, task: Task) -> str | None:
        """Return why it ended as it did."""
        return reason_text(task.reason_code, task.reason, task.result, self.language)

    def result(self, task: Task) -> Any:
        """Return the result; of an export's file what people need, with the address to download it."""
        if task.type != TaskType.EXPORT or not isinstance(task.result, dict) or "file" not in task.result:
            return task.result
        shown = {name: task.result[name] for name in _SHOWN_OF_EXPORT if name in task.result}
        link = self._link(task)
        return {**shown, "link": link} if link else shown

    def _async_fields(self, task: Task) -> dict[str, Any]:
        return {
            "task_id": str(task.task_id),
            "user_task_id": task.user_task_id,
            "status": task.status,
            "create_time": task.create_time,
            "modify_time": task.modify_time,
            "start_time": task.start_time,
            "end_time": task.end_time,
            "result": self.result(task),
        }

    def _centre_task(self, task: Task, file_name: str | None) -> CentreTask:
        result = task.result if isinstance(task.result, dict) else {}
        names = ("rows", "bytes") if task.type == TaskType.EXPORT else _COUNTS_OF_IMPORT
        return CentreTask(
            task_id=task.task_id,
            status=task.status,
            reason=self.reason(task),
            reason_code=task.reason_code,
            progress=task.progress,
            type=task.type,
            business_id=task.business_id,
            business_name=task.business_name,
            file_name=str(result.get("file_name") or task.file_name or file_name or "") or None,
            link=self._link(task) if "file" in result else None,
            counts={name: result[name] for name in names if isinstance(result.get(name), int)},
            submitted_by=task.submitted_by,
            create_time=task.create_time,
            modify_time=task.modify_time,
            start_time=task.start_time,
            run_start=task.run_start,
            end_time=task.end_time,
            run_count=task.run_count,
            lost_runs=task.lost_runs,
            stop_requested=task.stop_requested,
            ahead=task.ahead,
            place_beyond=MOST_AHEAD if _is_far_back(task) else None,
            starts_in_seconds=task.starts_in_seconds,
        )

    def _link(self, task: Task) -> str | None:
        if task.type != TaskType.EXPORT or task.status != TaskStatus.FINISHED:
            return None
        return f"{self.public_url}/station/download/async/{task.task_id}"


def _is_far_back(task: Task) -> bool:
    return task.status == TaskStatus.SUBMITTED and task.queue is not None and task.ahead is None


def poll_seconds(active: int) -> float:
    """Return how long a page waits that follows so many tasks, so that large lists don't cost more than small ones."""
    return next(seconds for most, seconds in _POLLS if active <= most)


def _readable(input: str | None) -> Any:
    if input is None or len(input) > _LONGEST_INPUT:
        return None
    try:
        return strict_json.loads(input)
    except ValueError:
        return input


def have_ended(tasks: list[Task]) -> bool:
    """Tell whether every one of these tasks has ended."""
    return all(task.status in ENDED for task in tasks)
