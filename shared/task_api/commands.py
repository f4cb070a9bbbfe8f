"""What callers ask of gm_async_task, one command an endpoint; the only place that names the parameters."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from shared.run_log import MAX_LINE_CHARACTERS, MOST_LINES
from shared.task_api.lifecycle import MAX_REASON_CHARACTERS
from shared.task_api.models import TaskStatus, TaskType
from shared.web import strict_json
from shared.web.fields import (
    FunctionPath,
    Key,
    Keys,
    QueueName,
    RowId,
    RowIds,
    SaneMoment,
    StationId,
    Text,
    WholeNumber,
    YesOrNo,
)


def _as_json_text(value: Any) -> Any:
    return strict_json.dumps(value) if isinstance(value, dict | list) else value


def _not_empty(ids: list[Any] | None) -> list[Any] | None:
    if ids is not None and not ids:
        raise ValueError("it must not be empty")
    return ids


def _readable_lines(lines: Any) -> list[dict[str, str]]:
    """Return those of a log's lines that can be kept: a log is never why the end of a run is refused."""
    read = [_readable_line(line) for line in lines[-MOST_LINES:]] if isinstance(lines, list) else []
    return [line for line in read if line is not None]


def _readable_line(line: Any) -> dict[str, str] | None:
    try:
        moment = datetime.fromisoformat(line["at"])
        texts = {name: line[name] for name in ("level", "text")}
    except (TypeError, KeyError, ValueError):
        return None
    if moment.tzinfo is None or not all(isinstance(text, str) for text in texts.values()):
        return None
    return {"at": moment.isoformat(), "level": texts["level"][:16], "text": texts["text"][:MAX_LINE_CHARACTERS]}


TaskInput = Annotated[Text, BeforeValidator(_as_json_text)]
Status = Annotated[WholeNumber, Field(ge=1, le=5), AfterValidator(TaskStatus)]
EndStatus = Annotated[WholeNumber, Field(ge=3, le=5), AfterValidator(TaskStatus)]
Reason = Annotated[Text, Field(max_length=MAX_REASON_CHARACTERS)]
ReasonCode = Annotated[Text, Field(max_length=64, pattern=r"^[a-z_]{1,64}$")]
RunCount = Annotated[WholeNumber, Field(ge=0, le=2**31 - 1)]
SmallNumber = Annotated[WholeNumber, Field(ge=0, le=2**31 - 1)]
Seconds = Annotated[WholeNumber, Field(ge=1, le=7 * 86_400)]
MAX_CHANGES = 50_000
"""of a result in one request"""
Log = Annotated[list[dict[str, str]], BeforeValidator(_readable_lines)]
"""lines with at, level and text, see `LogLine`; what can't be kept of them is left out"""


class Command(BaseModel):
    """Unknown parameters are refused, so that a misspelt one is never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AddTask(Command):
    """/task/add; `queue` makes the platform responsible for starting it."""

    station_id: StationId
    task_name: FunctionPath
    input: TaskInput
    repeat: YesOrNo | None = None
    user_task_id: Key | None = None
    type_id: SmallNumber | None = None
    """what older callers call business_id"""
    business_id: SmallNumber | None = None
    business_name: Annotated[Text, Field(max_length=64)] | None = None
    type: Annotated[WholeNumber, Field(ge=0, le=2)] | None = None
    queue: QueueName | None = None
    message_show: YesOrNo | None = None
    submitted_by: Annotated[Text, Field(max_length=64)] | None = None
    """the person who asks"""
    file_name: Annotated[Text, Field(max_length=255)] | None = None
    """the file that it reads or makes"""
    run_seconds: Seconds | None = None
    """limit of one run from start to close; the service's default where it is not given"""

    @model_validator(mode="after")
    def _one_business(self) -> Self:
        if None not in (self.type_id, self.business_id) and self.type_id != self.business_id:
            raise ValueError("type_id and business_id are one thing and must agree")
        return self

    @property
    def kind(self) -> int:
        """The task's type; a process where none was given."""
        return TaskType.PROCESS if self.type is None else self.type

    @property
    def business(self) -> int:
        """The task type id under either of its names."""
        return self.business_id if self.business_id is not None else self.type_id or 0


class OneTask(Command):
    """Names one task: by task_id, or by user_task_id."""

    task_id: RowId | None = None
    user_task_id: Key | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.task_id is None and self.user_task_id is None:
            raise ValueError("task_id or user_task_id is required")
        return self


class TaskKey(OneTask):
    """Names one task of whatever station; `station_id` narrows it to one owner."""

    station_id: StationId | None = None


class GetTask(TaskKey):
    """/task/get"""

    without_input: YesOrNo = False
    """leave out the input, which may be megabytes"""
    brief: YesOrNo = False
    """leave out the result's `rows` too"""


class StartTask(TaskKey):
    """/task/start"""

    claim_id: Key | None = None
    """made by the worker for this claim: repeated with the same id it gets the same answer"""
    owner: Annotated[Text, Field(max_length=128)] | None = None
    """who runs it, for people and for /task/release"""
    task_name: FunctionPath | None = None
    """start only if the task has this name"""
    expect_run_count: RunCount | None = None
    """a doorbell: start only what is submitted and was started this often so far"""
    queue: QueueName | None = None
    """the queue that the doorbell came by, kept where the task has none"""
    sent_time: SaneMoment | None = None
    """when the doorbell was rung"""


class ListRuns(TaskKey):
    """/task/runs"""

    with_log: YesOrNo = False
    """tell what each run logged"""


class UpdateTask(TaskKey):
    """/task/update; `postion` is the contract's spelling."""

    field: Text
    value: Any
    postion: Text | None = None
    position: Text | None = None
    run_count: RunCount | None = None

    @model_validator(mode="after")
    def _one_position(self) -> Self:
        if None not in (self.postion, self.position) and self.postion != self.position:
            raise ValueError("postion and position are one thing and must agree")
        return self

    @property
    def path(self) -> str | None:
        """The place inside the result, under either of its names."""
        return self.postion if self.postion is not None else self.position


class ResultChange(Command):
    """A place inside the result, and what is to stand there."""

    postion: Text
    value: Any


class AmendTask(TaskKey):
    """/task/amend: many places of an ended import's result at once, and the status that follows from them."""

    changes: Annotated[list[ResultChange], Field(min_length=1, max_length=MAX_CHANGES)]
    status: EndStatus | None = None
    reason: Reason | None = None
    reason_code: ReasonCode | None = None

    @property
    def end(self) -> TaskStatus | None:
        """The status, where one was given."""
        return None if self.status is None else TaskStatus(self.status)


class FinishTask(TaskKey):
    """/task/finish"""

    status: EndStatus = TaskStatus.FINISHED
    result: Any = None
    reason: Reason | None = None
    reason_code: ReasonCode | None = None
    run_count: RunCount | None = None
    log: Log | None = None
    """the last lines that the run logged"""


class Heartbeat(Command):
    """/task/heartbeat"""

    task_id: RowId
    run_count: RunCount


class ReleaseTask(Command):
    """/task/release: a run gives its task back, or its keeper says that it was lost.

    Named by `run_count` (the run itself) or by `owner` (the parent process of a run that died).
    """

    task_id: RowId
    run_count: RunCount | None = None
    owner: Annotated[Text, Field(max_length=128)] | None = None
    lost: YesOrNo = False
    """False: handed back unharmed, no attempt is burnt. True: it died in the middle."""
    log: Log | None = None
    """the last lines that the run logged"""

    @model_validator(mode="after")
    def _who(self) -> Self:
        if self.run_count is None and self.owner is None:
            raise ValueError("run_count or owner is required")
        return self


class CloseTask(TaskKey):
    """/task/close"""

    reason: Reason | None = None


class ListTasks(Command):
    """/task/list, newest first; `before_id` is a keyset cursor, `offset` a page number from 0."""

    station_id: StationId
    status: Status | None = None
    type: Annotated[WholeNumber, Field(ge=0, le=2)] | None = None
    limit: Annotated[WholeNumber, Field(ge=1, le=1000)] = 10
    offset: Annotated[WholeNumber, Field(ge=0, le=1_000_000)] = 0
    task_ids: RowIds | None = None
    user_task_ids: Keys | None = None
    before_id: RowId | None = None
    message_show: YesOrNo | None = None
    active: YesOrNo | None = None
    """those that have not ended, or those that have"""
    text: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    """stands in the business name, the file name or the person's name, or is one of the task's ids"""
    since: SaneMoment | None = None
    """added then or later"""
    until: SaneMoment | None = None
    """added before then"""
    with_waiting: YesOrNo = False
    """tell the places of submitted tasks"""
    without_input: YesOrNo = False
    """leave out the inputs, which may be megabytes"""
    brief: YesOrNo = False
    """leave out the results' `rows` too"""


class SomeTasks(Command):
    """Names tasks: by task_ids, by user_task_ids, or both."""

    task_ids: Annotated[RowIds | None, AfterValidator(_not_empty)] = None
    user_task_ids: Annotated[Keys | None, AfterValidator(_not_empty)] = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.task_ids is None and self.user_task_ids is None:
            raise ValueError("task_ids or user_task_ids is required")
        return self


class HideTasks(SomeTasks):
    """/task/hide"""

    station_id: StationId | None = None
