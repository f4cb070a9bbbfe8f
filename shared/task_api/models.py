"""What the task contract says about a task, on the wire and in Python alike (docs/task-api.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class TaskStatus(IntEnum):
    """Where a task is; 3, 4 and 5 are ends."""

    SUBMITTED = 1
    """added, not started"""
    RUNNING = 2
    """a run holds it"""
    FINISHED = 3
    """ended, all of it succeeded"""
    PARTLY_SUCCEEDED = 4
    """ended, some rows failed"""
    FAILED = 5
    """ended, nothing usable came of it; the reason says why"""


MOST_AHEAD = 1000
"""so many tasks before a waiting one are counted and no more"""

ENDED = frozenset({TaskStatus.FINISHED, TaskStatus.PARTLY_SUCCEEDED, TaskStatus.FAILED})


class TaskType(IntEnum):
    """What kind of work a task is."""

    IMPORT = 0
    EXPORT = 1
    PROCESS = 2


class LogLine(BaseModel):
    """Something that a run logged."""

    at: datetime
    level: str
    """such as `info`"""
    text: str
    """what happened, and its facts"""


class Run(BaseModel):
    """One run of a task, as /task/runs gives it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    task_id: int
    run_count: int
    """its number, from 1"""
    sent_time: datetime | None
    """when the message was sent that it came by, by the sender's clock"""
    start_time: datetime | None
    end_time: datetime | None
    """None while it goes on"""
    status: TaskStatus
    """the task's after it: submitted where it was lost or handed back, and the task waits again"""
    reason_code: str | None
    """such as `worker_lost` or `handed_back`"""
    log: list[LogLine] | None = None
    """the last lines, where they were asked for; None of a run that died or said nothing"""


class Task(BaseModel):
    """A task as /task/get and /task/list give it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    task_id: int
    user_task_id: str | None
    """the caller's own id, unique within the station"""
    task_name: str
    """dotted path of the function that does the work"""
    station_id: str
    status: TaskStatus
    reason: str | None
    """why it failed, was closed, or only partly succeeded; one sentence"""
    reason_code: str | None = None
    """the same for machines, such as `worker_lost`"""
    progress: int | None
    """0-100 within the present run"""
    type: int
    business_id: int
    business_name: str
    run_count: int
    """how many times it was started; the present run's fencing token"""
    create_time: datetime
    modify_time: datetime
    start_time: datetime | None
    end_time: datetime | None
    input: str | None
    """as given to add; None where the caller asked for a brief answer"""
    result: Any
    """the business result, any JSON value"""
    repeat: bool | None = None
    message_show: bool | None = None
    queue: str | None = None
    stop_requested: bool = False
    """somebody asked to close it while it ran"""
    submitted_by: str | None = None
    """the person who asked for it, where the caller said so"""
    file_name: str | None = None
    """the file that it reads or makes, where the caller said so"""
    sent_time: datetime | None = None
    """when the message was sent that the last run came by"""
    run_start: datetime | None = None
    """when the last run began"""
    lost_runs: int = 0
    """runs that died, and were begun again"""
    ahead: int | None = None
    """of a list `with_waiting`, for a submitted task: how many are before it in its lane of its queue; None
    for one that has a queue: `MOST_AHEAD` or more"""
    starts_in_seconds: int | None = None
    """when it starts as things go now; None where nothing was started lately"""


class StartedTask(Task):
    """What the winner of a start gets: the task, and the lease under which this run holds it."""

    lease_seconds: float
    """the run must be heard of again within this time"""
    lease_until: datetime
    run_seconds: float
    """how long this run may take in all, however often it is heard of"""
    request_id: str | None
    """the request that caused the task, to be bound to the run's log lines"""


class AddedTask(BaseModel):
    """What /task/add answers."""

    task_id: int
    user_task_id: str
    queue: str | None = None
    """the broker queue to ring: that of the task's lane; None where it was added without a queue"""


class Lease(BaseModel):
    """What a heartbeat answers."""

    lease_until: datetime
    lease_seconds: float
    stop_requested: bool
    """somebody asked to close the task: end it soon"""


class Signals(BaseModel):
    """What an update of a running task answers."""

    stop_requested: bool


class HideLeftOut(BaseModel):
    """What /task/hide could not hide."""

    unknown: list[int | str]
    running: list[int | str]


def without_rows(result: Any) -> Any:
    """Return a result as brief answers have it: without `rows`, which may be thousands."""
    if isinstance(result, dict) and "rows" in result and isinstance(result["rows"], list):
        return {name: value for name, value in result.items() if name != "rows"}
    return result


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, as a task function returns it."""

    status: TaskStatus = TaskStatus.FINISHED
    result: Any = None
    reason: str | None = None
    reason_code: str | None = None
