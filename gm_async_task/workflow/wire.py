"""How jobs and tasks are shown: the contract's columns, times in the configured zone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gm_async_task.workflow.models import CONTRACT_JOB_COLUMNS, CONTRACT_TASK_COLUMNS
from gm_async_task.workflow.store import JobRow, TaskRow
from shared.database import to_zone


@dataclass(frozen=True, slots=True)
class JobObject:
    """What a plugin's job_notifier is given."""

    job_id: int
    job_client: str
    job_namespace: str
    job_reqid: str
    job_name: str
    job_status: str
    job_type: str
    job_tags: str
    ret_stat: str
    ret_data: Any
    job_cost: float
    job_extra: str
    job_timeout: int
    job_lock: str
    exe_id: int
    operator: str
    is_valid: bool
    c_time: str
    s_time: str
    e_time: str


def job_fields(row: JobRow, zone: ZoneInfo) -> dict[str, Any]:
    """Return every column of a job; `ret_data` is parsed, job_extra the text that it is."""
    fields = {name: _show(getattr(row, name), zone) for name in CONTRACT_JOB_COLUMNS}
    return {**fields, "ret_data": parsed(row.ret_data)}


def task_fields(row: TaskRow, zone: ZoneInfo) -> dict[str, Any]:
    """Return every column of a task, as they are."""
    return {name: _show(getattr(row, name), zone) for name in CONTRACT_TASK_COLUMNS}


def job_object(row: JobRow, zone: ZoneInfo) -> dict[str, Any]:
    """Return the fields of a `JobObject`."""
    fields = job_fields(row, zone)
    return {name: fields[name] for name in JobObject.__dataclass_fields__}


def parsed(text: str | None) -> Any:
    """Return what is kept as JSON; an empty object where nothing is."""
    return {} if text is None else json.loads(text)


def _show(value: Any, zone: ZoneInfo) -> Any:
    if not isinstance(value, datetime):
        return value
    local = to_zone(value, zone)
    return None if local is None else local.strftime("%Y-%m-%d %H:%M:%S")
