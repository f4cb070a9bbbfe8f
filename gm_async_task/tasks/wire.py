"""How a row of the task table is shown on the wire."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from gm_async_task.tasks.history import RunRow
from gm_async_task.tasks.store import TaskRow
from gm_async_task.tasks.waiting import Waiting
from shared.database import to_zone
from shared.task_api.models import without_rows


def task_fields(row: TaskRow, zone: ZoneInfo, *, brief: bool = False, waiting: Waiting | None = None) -> dict[str, Any]:
    """Return the fields of `shared.task_api.models.Task`; times get the offset of `zone`."""
    return {
        "task_id": row.id,
        "user_task_id": row.user_task_id,
        "task_name": row.name,
        "station_id": row.station_id,
        "status": row.status,
        "reason": row.reason,
        "reason_code": row.reason_code,
        "progress": row.progress,
        "type": row.type,
        "business_id": row.business_id,
        "business_name": row.business_name,
        "run_count": row.run_count,
        "create_time": to_zone(row.creat_time, zone),
        "modify_time": to_zone(row.modify_time, zone),
        "start_time": to_zone(row.start_time, zone),
        "end_time": to_zone(row.end_time, zone),
        # A brief answer does not read the input.
        "input": row._mapping.get("input"),
        "result": without_rows(row.result) if brief else row.result,
        "repeat": row.repeat,
        "message_show": row.message_show,
        "queue": row.queue,
        "stop_requested": row.stop_requested,
        "submitted_by": row.submitted_by,
        "file_name": row.file_name,
        "sent_time": to_zone(row.sent_time, zone),
        "run_start": to_zone(row.run_start, zone),
        "lost_runs": row.lost_runs,
        "ahead": waiting.ahead if waiting else None,
        "starts_in_seconds": waiting.starts_in_seconds if waiting else None,
    }


def run_fields(row: RunRow, zone: ZoneInfo) -> dict[str, Any]:
    """Return the fields of `shared.task_api.models.Run`; times get the offset of `zone`."""
    moments = {name: to_zone(getattr(row, name), zone) for name in ("sent_time", "start_time", "end_time")}
    return {**row._asdict(), **moments}
