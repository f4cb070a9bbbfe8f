"""What callers ask of /xingqiao, one command an endpoint; the only place that names the parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gm_async_task.workflow.models import CONTRACT_JOB_COLUMNS
from shared.task_api.commands import Command
from shared.web.fields import RowId, SaneMoment, Text, WholeNumber


def _no_blank_edges(text: str) -> str:
    # Trailing blanks are lost in comparisons on MariaDB and kept on SQLite.
    if text != text.strip() or not text:
        raise ValueError("it must not be empty, nor begin or end with a blank")
    return text


def _a_column(name: str) -> str:
    if name not in CONTRACT_JOB_COLUMNS:
        raise ValueError("it is no column of a job")
    return name


def _few_values(text: str) -> str:
    # Each is counted by itself.
    if text.count(",") >= MAX_TAG_VALUES:
        raise ValueError(f"it must not have more than {MAX_TAG_VALUES} values")
    return text


Name = Annotated[Text, AfterValidator(_no_blank_edges)]
"""of whatever length: what is too long for its column is refused with the job"""
Column = Annotated[Text, AfterValidator(_a_column)]
NamePattern = Annotated[Text, Field(max_length=256)]
"""of LIKE; databases refuse very long ones, and names have 64 characters"""
Tags = Annotated[Text, Field(max_length=128)]
"""comma-joined, as many as a job can carry"""
MAX_TAG_VALUES = 200
MAX_SECONDS = 10 * 365 * 86_400
Seconds = Annotated[WholeNumber, Field(ge=1, le=MAX_SECONDS)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the edge knows it."""

    client: str
    """its address"""
    reqid: str
    """this request's own id"""
    operator: str
    """on whose behalf"""
    namespace: str | None = None
    """only jobs of this one exist for the caller; None: all"""


class CreateJob(Command):
    """/xingqiao/create_job"""

    job_namespace: Name
    job_type: Name
    job_name: Name | None = None
    """the request's id where it is not given"""
    job_extra: Any = Field(default_factory=dict)
    """an object, or the JSON text of one"""
    job_timeout: Seconds = 3600


class OneJob(Command):
    """Names one job: by its id, by its name, or by both."""

    job_id: RowId | None = None
    job_name: Name | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.job_id is None and self.job_name is None:
            raise ValueError("job_id or job_name is required")
        return self


class ListTasks(OneJob):
    """/xingqiao/list_tasks"""

    task_status: Text | None = None


class ListRuns(OneJob):
    """/xingqiao/list_runs"""

    task_id: RowId | None = None
    """of this task alone, with what each run logged"""


class ListPlugins(Command):
    """/xingqiao/list_plugins"""


class GetTask(Command):
    """/xingqiao/get_task"""

    task_id: RowId


class GetGraph(Command):
    """/xingqiao/get_graph"""

    job_id: RowId
    format: Literal["png", "svg", "dot"] = "png"


class _WithoutEmpty(Command):
    """A form's empty fields count as not given."""

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, values: Any) -> Any:
        return {name: value for name, value in values.items() if value != ""} if isinstance(values, dict) else values


class ListJobs(_WithoutEmpty):
    """/xingqiao/list_jobs"""

    job_namespace: Text | None = None
    job_id: RowId | None = None
    job_client: Text | None = None
    job_reqid: Text | None = None
    job_name: NamePattern | None = None
    """a pattern of LIKE"""
    job_status: Text | None = None
    job_type: Text | None = None
    ret_stat: Text | None = None
    operator: Text | None = None
    job_tag: Tags | None = None
    orderBy: Column = "job_id"  # noqa: N815 the contract's spelling
    orderDir: Literal["asc", "desc"] = "desc"  # noqa: N815
    page_index: Annotated[WholeNumber, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[WholeNumber, Field(ge=1, le=1000)] = 10

    def filters(self) -> dict[str, Any]:
        """Return the filters by their names."""
        paging = {"orderBy", "orderDir", "page_index", "page_size"}
        return {name: value for name, value in self.model_dump(exclude=paging).items() if value is not None}


class SuccessRate(_WithoutEmpty):
    """/xingqiao/statistics_success_rate"""

    job_type: Text
    job_tag: Tags | None = None
    exclude_retstat: Text | None = None
    group_by: Literal["day", "week", "month"] = "week"
    start: SaneMoment | None = None
    end: SaneMoment | None = None

    @model_validator(mode="before")
    @classmethod
    def _whole_days(cls, values: Any) -> Any:
        """Read a day without a time as the whole of it."""
        end = values.get("end") if isinstance(values, dict) else None
        return {**values, "end": f"{end} 23:59:59.999999"} if isinstance(end, str) and len(end) == 10 else values

    def range(self) -> tuple[datetime | None, datetime | None]:
        """Return the first and the last moment."""
        return self.start, self.end


class JobtagRatio(_WithoutEmpty):
    """/xingqiao/statistics_jobtag_ratio"""

    job_type: Text
    jobtag_name: Tags
    jobtag_values: Annotated[Text, AfterValidator(_few_values)]
    """comma-joined"""
    job_tag: Tags | None = None


class RetstatRatio(_WithoutEmpty):
    """/xingqiao/statistics_retstat_ratio"""

    job_type: Text
    job_tag: Tags | None = None
