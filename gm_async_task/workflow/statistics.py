"""What became of ended jobs, as options that ECharts draws (docs/workflows.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.engine import Connection, Engine

from gm_async_task.workflow import commands
from gm_async_task.workflow.models import jobs
from gm_async_task.workflow.search import has_tags
from gm_async_task.workflow.states import ENDED_JOB, JobStatus
from gm_async_task.workflow.store import split
from shared.database import in_read, to_utc

_ENDED = [status.value for status in ENDED_JOB]
_MINUTE = cast(jobs.c.e_time, String(16))
"""when a job ended, as text to the minute: what zones are apart by is whole minutes"""


@dataclass
class Count:
    """The ended jobs of one bucket."""

    total: int = 0
    failed: int = 0
    excluded: int = 0
    """those that failed with the stat that is to be left out"""


class JobStatistics:
    """Counts ended jobs; `namespace` narrows each to the jobs of one."""

    def __init__(self, engine: Engine, zone: ZoneInfo) -> None:
        self._engine = engine
        self._zone = zone

    def success_rate(self, command: commands.SuccessRate, namespace: str | None) -> dict[str, Any]:
        """Return a line of the success rate by day, ISO week or month."""
        minute = func.substr(_MINUTE, 1, 16).label("minute")
        query = (
            select(minute, jobs.c.job_status, jobs.c.ret_stat, func.count().label("count"))
            .where(*self._ended(command.job_type, command.job_tag, namespace), *self._range(command))
            .group_by(minute, jobs.c.job_status, jobs.c.ret_stat)
        )
        counts: dict[str, Count] = defaultdict(Count)
        for row in self._read(query):
            _add(counts[self._bucket(row.minute, command.group_by)], row, command.exclude_retstat)
        buckets = sorted(counts)
        lines = {"rate": [_rate(counts[name].total, counts[name].failed) for name in buckets]}
        if command.exclude_retstat is not None:
            lines[f"rate_exclude_{command.exclude_retstat}"] = [
                _rate(count.total, count.failed - count.excluded) for count in (counts[name] for name in buckets)
            ]
        return {
            "title": {"text": "success rate"},
            "tooltip": {},
            "legend": {},
            "xAxis": {"data": buckets},
            "yAxis": {},
            "series": [{"type": "line", "name": name, "smooth": True, "data": data} for name, data in lines.items()],
        }

    def jobtag_ratio(self, command: commands.JobtagRatio, namespace: str | None) -> dict[str, Any]:
        """Return how many jobs carry each of the asked values of a tag."""
        conditions = self._ended(command.job_type, command.job_tag, namespace)

        def count(connection: Connection, value: str) -> int:
            query = select(func.count()).select_from(jobs)
            tagged = has_tags(f"{command.jobtag_name}={value}")
            return int(connection.execute(query.where(*conditions, tagged)).scalar_one())

        def read(connection: Connection) -> list[dict[str, Any]]:
            values = [value.strip() for value in split(command.jobtag_values)]
            return [{"name": value, "value": count(connection, value)} for value in values]

        return _pie(command.jobtag_name, in_read(self._engine, read))

    def retstat_ratio(self, command: commands.RetstatRatio, namespace: str | None) -> dict[str, Any]:
        """Return how many jobs ended with each stat."""
        query = (
            select(jobs.c.ret_stat, func.count().label("count"))
            .where(*self._ended(command.job_type, command.job_tag, namespace))
            .group_by(jobs.c.ret_stat)
        )
        items = sorted(({"name": row.ret_stat, "value": row._mapping["count"]} for row in self._read(query)), key=_name)
        return _pie("retstat", items)

    def _ended(self, job_type: str, job_tag: str | None, namespace: str | None) -> list[ColumnElement[bool]]:
        conditions = [jobs.c.job_type == job_type, jobs.c.job_status.in_(_ENDED)]
        conditions += [has_tags(job_tag)] if job_tag else []
        conditions += [jobs.c.job_namespace == namespace] if namespace is not None else []
        return conditions

    def _range(self, command: commands.SuccessRate) -> list[ColumnElement[bool]]:
        start, end = command.range()
        conditions = [jobs.c.e_time >= to_utc(start, self._zone)] if start is not None else []
        return conditions + ([jobs.c.e_time <= to_utc(end, self._zone)] if end is not None else [])

    def _bucket(self, minute: str, group_by: str) -> str:
        local = datetime.strptime(minute, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).astimezone(self._zone)
        if group_by == "week":
            year, week, _ = local.isocalendar()
            return f"{year}-W{week:02d}"
        return f"{local:%Y-%m-%d}" if group_by == "day" else f"{local:%Y-%m}"

    def _read(self, query: Any) -> Sequence[Any]:
        return in_read(self._engine, lambda connection: connection.execute(query).all())


def _add(count: Count, row: Any, excluded: str | None) -> None:
    # `row.count` is a method of rows.
    number = row._mapping["count"]
    count.total += number
    if row.job_status == JobStatus.FAILED:
        count.failed += number
        count.excluded += number if row.ret_stat == excluded else 0


def _rate(total: int, failed: int) -> float:
    return (1 - failed / total) * 100


def _pie(name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": {"text": f"{name} ratio"},
        "tooltip": {"trigger": "item", "formatter": "{a} {b}:{c} ({d}%)"},
        "legend": {},
        "series": [{"type": "pie", "name": name, "data": items}],
    }


def _name(item: dict[str, Any]) -> str:
    return str(item["name"])
