"""Workers and releases on the wire: what workers say of themselves, what they are told, what operators ask for."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.task_api.commands import Command, Reason, RunCount
from shared.task_api.models import TaskStatus
from shared.web.fields import FunctionPath, Key, QueueName, RowId, StationId, Text, WholeNumber

MAX_FUNCTIONS = 2000
MAX_QUEUES = 100
MAX_RUNS = 1000
WorkerName = Annotated[Text, Field(min_length=1, max_length=128)]
Version = Key
Percent = Annotated[WholeNumber, Field(ge=0, le=100)]
Duration = Annotated[float, Field(ge=0, le=10**9, strict=True, allow_inf_nan=False)]
QueueNames = Annotated[list[QueueName], Field(max_length=MAX_QUEUES)]
StationIds = Annotated[list[StationId], Field(max_length=10_000)]


class WorkerRun(Command):
    """A run that a worker has under way."""

    task_id: RowId
    task_name: Annotated[Text, Field(max_length=64)]
    run_count: RunCount
    seconds: Duration
    """since the worker gave it to a child, by the worker's own clock"""


class ReportWorker(Command):
    """/worker/report"""

    name: WorkerName
    host: Annotated[Text, Field(max_length=255)]
    pid: Annotated[WholeNumber, Field(ge=1, le=2**31 - 1)]
    version: Version
    queues: QueueNames
    """base queues that it is set up for"""
    functions: Annotated[list[FunctionPath], Field(max_length=MAX_FUNCTIONS)]
    concurrency: Annotated[WholeNumber, Field(ge=1, le=10_000)]
    runs: Annotated[list[WorkerRun], Field(max_length=MAX_RUNS, default_factory=list)]
    started_seconds: Duration
    """how long it has lived"""


class LeaveWorker(Command):
    """/worker/leave: it ended gracefully."""

    name: WorkerName


class ListWorkers(Command):
    """/worker/list"""


class RefuseTask(Command):
    """/worker/refuse: a bell came for a function that the worker does not have."""

    task_id: RowId
    task_name: Annotated[Text, Field(max_length=200)]
    worker: WorkerName
    queue: QueueName | None = None
    """the base queue that the bell came by, kept where the task has none"""


class BeginRelease(Command):
    """/release/begin and /release/share: the share of new tasks that a version is given."""

    version: Version
    percent: Percent
    stations: StationIds = Field(default_factory=list)
    """only tasks of these; empty: of all"""
    queues: QueueNames = Field(default_factory=list)
    """only tasks of these; empty: of all"""


class EndRelease(Command):
    """/release/end: the version takes over, or is taken back."""

    version: Version
    state: Literal["live", "rolled_back"]
    reason: Reason | None = None


class GetRelease(Command):
    """/release/get; without a version the release that is being tried, else the newest."""

    version: Version | None = None


class Presence(BaseModel):
    """What /worker/report answers."""

    serve: list[str]
    """broker queues to hear now"""
    report_seconds: float
    """report again after this; three times as long without a report make a worker silent"""
    drained: bool
    """its version is to take nothing more"""


class Refusal(BaseModel):
    """What /worker/refuse answers."""

    handed_back: bool
    """a live worker has the function: the bell is rung again soon"""


class WorkerState(StrEnum):
    """Whether a worker is there."""

    LIVE = "live"
    SILENT = "silent"
    """it has not reported for three report periods"""


class WorkerLane(StrEnum):
    """Which tasks a worker's version is given."""

    BASE = "base"
    GREY = "grey"
    """those of the release being tried"""
    DRAINED = "drained"
    """none; another version has taken over, or it was taken back"""


class Worker(BaseModel):
    """A worker as /worker/list gives it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    host: str
    pid: int
    version: str
    queues: list[str]
    serve: list[str]
    functions: list[str]
    concurrency: int
    runs: list[WorkerRun]
    started_at: datetime
    seen_at: datetime
    seen_seconds: float
    """since its last report"""
    state: WorkerState
    lane: WorkerLane


class Explanation(BaseModel):
    """What /task/explain answers, for engineers on call."""

    task_id: int
    task_name: str
    status: TaskStatus
    queue: str | None
    """the broker queue that is rung for it"""
    ahead: int
    """tasks of its queue that wait too and were added before it; 0 once it was started"""
    request_id: str | None
    """the request that caused it, for looking into the logs"""
    told: list[str]
    """why it is where it is, and what happens next; the most telling first"""


class ReleaseState(StrEnum):
    """Where a release is; the last two are ends."""

    GREY = "grey"
    """tried with a share of the tasks"""
    LIVE = "live"
    """took over; the versions before are drained"""
    ROLLED_BACK = "rolled_back"
    """taken back; its version is drained"""


class Release(BaseModel):
    """A release of a worker version."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    version: str
    state: ReleaseState
    percent: int
    stations: list[str]
    queues: list[str]
    drained: list[str]
    """versions that it drained"""
    reason: str | None
    """why it ended so"""
    begun_at: datetime
    ended_at: datetime | None


class StartDelay(BaseModel):
    """Seconds between add and first start, of the newest few thousand tasks; None where none was started."""

    p50: float | None
    p95: float | None


class LaneFigures(BaseModel):
    """What became of the tasks that were added to one lane with a queue since the release began."""

    added: int
    started: int
    ended: int
    failed: int
    """ended as 5, those not counted that somebody closed"""
    failed_by_code: dict[str, int]
    start_delay_seconds: StartDelay
    oldest_waiting_seconds: float | None
    running: int


class ReleaseView(BaseModel):
    """What /release/get answers."""

    release: Release | None
    lanes: dict[str, LaneFigures]
    """`grey` and `base`; empty without a release"""
