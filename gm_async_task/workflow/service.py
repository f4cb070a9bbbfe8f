"""The use cases of jobs that exist: delete, retry, look; each change is one transaction, messages follow it."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy.engine import Connection, Engine

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks import history
from gm_async_task.tasks.followers import AfterCommit
from gm_async_task.tasks.wire import run_fields
from gm_async_task.workflow import commands, search, store
from gm_async_task.workflow.commands import Caller
from gm_async_task.workflow.drawing import Node, draw_dot, draw_picture
from gm_async_task.workflow.engine import JobEngine
from gm_async_task.workflow.states import JobStatus, TaskStatus
from gm_async_task.workflow.stats import Refused, Stat
from gm_async_task.workflow.store import JobRow
from gm_async_task.workflow.taking import in_write_again, take_locks
from gm_async_task.workflow.wire import job_fields, task_fields
from shared.database import in_read, in_write
from shared.task_api.models import Run

log = structlog.get_logger(__name__)


class JobService:
    """What callers ask for."""

    def __init__(self, engine: Engine, settings: AsyncTaskSettings, job_engine: JobEngine) -> None:
        self._engine = engine
        self._settings = settings
        self._jobs = job_engine

    def delete_job(self, command: commands.OneJob, caller: Caller) -> None:
        """Delete a job and its tasks; one that does not exist is deleted already."""

        def delete(connection: Connection) -> int | None:
            job = _find(connection, command, caller, lock=True)
            if job is not None:
                self._jobs.withdraw_all(connection, job.job_id)
                store.delete_job(connection, job.job_id)
            return None if job is None else int(job.job_id)

        deleted = in_write(self._engine, delete)
        if deleted is not None:
            log.info("job_deleted", job_id=deleted, operator=caller.operator)

    def retry_job(self, command: commands.OneJob, caller: Caller) -> int:
        """Start a failed job again and return its id.

        Raises:
            Refused: it does not exist, has not failed, or another job holds one of its locks.
        """

        def retry(connection: Connection) -> tuple[int, AfterCommit]:
            job = _require(connection, command, caller, lock=True)
            if job.job_status != JobStatus.FAILED:
                raise Refused(Stat.JOB_STATUS_NOT_FAILED, f"the job is {job.job_status}, not failed", job_id=job.job_id)
            take_locks(connection, job.job_id, store.split(job.job_lock))
            return job.job_id, self._jobs.retry(connection, job)

        job_id, after = in_write_again(self._engine, retry)
        log.info("job_retried", job_id=job_id, operator=caller.operator)
        after()
        return job_id

    def list_jobs(self, command: commands.ListJobs, caller: Caller) -> dict[str, Any]:
        """Return how many jobs match, and a page of them."""
        filters = command.filters()
        if caller.namespace is not None:
            filters["job_namespace"] = _narrowed(filters.get("job_namespace"), caller.namespace)

        def read(connection: Connection) -> dict[str, Any]:
            total, rows = search.list_page(
                connection,
                filters,
                order_by=command.orderBy,
                descending=command.orderDir == "desc",
                page_index=command.page_index,
                page_size=command.page_size,
            )
            return {"total": total, "list": [job_fields(row, self._settings.zone) for row in rows]}

        return in_read(self._engine, read)

    def get_job_detail(self, command: commands.OneJob, caller: Caller) -> dict[str, Any]:
        """Return every column of one job.

        Raises:
            Refused: it does not exist.
        """
        job = in_read(self._engine, lambda connection: _require(connection, command, caller, data={}))
        return job_fields(job, self._settings.zone)

    def list_tasks(self, command: commands.ListTasks, caller: Caller) -> dict[str, Any]:
        """Return the tasks of one job.

        Raises:
            Refused: it does not exist.
        """

        def read(connection: Connection) -> list[dict[str, Any]]:
            job = _require(connection, command, caller, data={"list": []})
            rows = search.list_tasks(connection, job.job_id, command.task_status or None)
            return [task_fields(row, self._settings.zone) for row in rows]

        return {"list": in_read(self._engine, read)}

    def list_runs(self, command: commands.ListRuns, caller: Caller) -> dict[str, Any]:
        """Return the runs of a job's tasks by task and number; those of one task with what each logged.

        Raises:
            Refused: the job does not exist.
        """

        def read(connection: Connection) -> list[dict[str, Any]]:
            job = _require(connection, command, caller, data={"list": []})
            task_of_row = search.task_rows(connection, job.job_id, command.task_id)
            found = history.list_runs(connection, list(task_of_row), with_log=command.task_id is not None)
            return [{**run_fields(row, self._settings.zone), "task_id": task_of_row[row.task_id]} for row in found]

        return {"list": [Run(**run).model_dump(mode="json") for run in in_read(self._engine, read)]}

    def get_graph(self, command: commands.GetGraph, caller: Caller) -> bytes:
        """Return the graph of one job, as DOT text or as a picture.

        Raises:
            Refused: the job does not exist, or pictures can't be drawn here.
        """
        named = commands.OneJob(job_id=command.job_id)

        def read(connection: Connection) -> str:
            job = _require(connection, named, caller)
            nodes = [_node(row) for row in search.list_tasks(connection, job.job_id)]
            return draw_dot(f"{job.job_type} {job.job_name} ({job.job_status})", nodes)

        dot = in_read(self._engine, read)
        if command.format == "dot":
            return dot.encode()
        return draw_picture(self._settings.graphviz_program, dot, command.format)

    def get_task(self, command: commands.GetTask, caller: Caller) -> dict[str, Any]:
        """Return every column of one task.

        Raises:
            Refused: it does not exist.
        """
        row = in_read(self._engine, lambda connection: search.find_task(connection, command.task_id, caller.namespace))
        if row is None:
            raise Refused(Stat.TASK_NOT_EXIST, "there is no such task", data={})
        return task_fields(row, self._settings.zone)


def _node(row: Any) -> Node:
    failed = row.ret_stat if row.task_status == TaskStatus.FAILED else ""
    return Node(row.task_label, row.task_cmd, row.task_status, store.split(row.task_dependencies), failed)


def _find(connection: Connection, named: commands.OneJob, caller: Caller, *, lock: bool = False) -> JobRow | None:
    found = store.find_jobs(connection, named.job_id, named.job_name, caller.namespace, lock=lock)
    if not found:
        return None
    job = found[0]
    if len(found) > 1 or named.job_id not in (None, job.job_id) or named.job_name not in (None, job.job_name):
        raise Refused(Stat.BAD_PARAMS, "job_id and job_name do not name one job")
    return job


def _require(
    connection: Connection, named: commands.OneJob, caller: Caller, *, lock: bool = False, **facts: Any
) -> JobRow:
    job = _find(connection, named, caller, lock=lock)
    if job is None:
        raise Refused(Stat.JOB_NOT_EXIST, "there is no such job", **facts)
    return job


def _narrowed(wanted: str | None, namespace: str) -> str:
    """Return the one namespace that a caller may see; another's is one that holds nothing."""
    return namespace if wanted in (None, namespace) else ""
