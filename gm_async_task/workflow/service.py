"""The use cases of jobs: create, delete, retry, look; each change is one transaction, messages follow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks.followers import AfterCommit
from gm_async_task.workflow import commands, store
from gm_async_task.workflow.drawing import Node, draw_dot, draw_picture
from gm_async_task.workflow.engine import JobEngine
from gm_async_task.workflow.graph import GraphRefused
from gm_async_task.workflow.planning import Plan, fitting, plan_job, read_extra
from gm_async_task.workflow.plugins import Plugins
from gm_async_task.workflow.states import JobStatus, TaskStatus
from gm_async_task.workflow.stats import Refused, Stat
from gm_async_task.workflow.store import JobRow
from gm_async_task.workflow.wire import job_fields, task_fields
from shared.database import DatabaseClock, in_read, in_write
from shared.errors import Unavailable

log = structlog.get_logger(__name__)
Result = TypeVar("Result")
_TRIES = 5


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


class JobService:
    """What callers ask for."""

    def __init__(
        self,
        engine: Engine,
        settings: AsyncTaskSettings,
        clock: DatabaseClock,
        plugins: Plugins,
        job_engine: JobEngine,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._plugins = plugins
        self._jobs = job_engine

    def list_plugins(self, _command: commands.ListPlugins, _caller: Caller) -> dict[str, Any]:
        """Return the job types that are offered, with the schema of their job_extra where they have one."""
        return {"list": self._plugins.offers()}

    def create_job(self, command: commands.CreateJob, caller: Caller) -> int:
        """Create a job, give its first tasks to the workers, and return its id.

        Raises:
            Refused: in the contract's order: name, plugin, extra, the plugin's own check and the graph, locks.
            Unavailable: nothing was created.
        """
        name = caller.reqid if command.job_name is None else command.job_name
        if in_read(self._engine, lambda connection: store.is_name_taken(connection, name)):
            raise _name_taken(name)
        plugin = self._plugins.find(command.job_type)
        if plugin is None:
            raise Refused(Stat.JOB_TYPE_NOT_EXISTS, f"no plugin offers jobs of the type {command.job_type[:64]}")
        extra, extra_text = read_extra(command.job_extra)
        plan = plan_job(plugin, extra, extra_text, command.job_timeout, self._settings.task_names)
        texts = _checked_texts(command, name, caller)
        job_id, after = self._in_write_again(lambda connection: self._create(connection, texts, plan))
        log.info("job_created", job_id=job_id, job_type=command.job_type, tasks=len(plan.tasks))
        after()
        return job_id

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
            _take_locks(connection, job.job_id, store.split(job.job_lock))
            return job.job_id, self._jobs.retry(connection, job)

        job_id, after = self._in_write_again(retry)
        log.info("job_retried", job_id=job_id, operator=caller.operator)
        after()
        return job_id

    def list_jobs(self, command: commands.ListJobs, caller: Caller) -> dict[str, Any]:
        """Return how many jobs match, and a page of them."""
        filters = command.filters()
        if caller.namespace is not None:
            filters["job_namespace"] = _narrowed(filters.get("job_namespace"), caller.namespace)

        def read(connection: Connection) -> dict[str, Any]:
            total, rows = store.list_page(
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
            rows = store.list_tasks(connection, job.job_id, command.task_status or None)
            return [task_fields(row, self._settings.zone) for row in rows]

        return {"list": in_read(self._engine, read)}

    def get_graph(self, command: commands.GetGraph, caller: Caller) -> bytes:
        """Return the graph of one job, as DOT text or as a picture.

        Raises:
            Refused: the job does not exist, or pictures can't be drawn here.
        """
        named = commands.OneJob(job_id=command.job_id)

        def read(connection: Connection) -> str:
            job = _require(connection, named, caller)
            nodes = [_node(row) for row in store.list_tasks(connection, job.job_id)]
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
        row = in_read(self._engine, lambda connection: store.find_task(connection, command.task_id, caller.namespace))
        if row is None:
            raise Refused(Stat.TASK_NOT_EXIST, "there is no such task", data={})
        return task_fields(row, self._settings.zone)

    def _create(self, connection: Connection, texts: dict[str, str], plan: Plan) -> tuple[int, AfterCommit]:
        if store.is_name_taken(connection, texts["job_name"]):
            raise _name_taken(texts["job_name"])
        now = store.read_now(connection, self._clock)
        moments = dict.fromkeys(("c_time", "s_time", "e_time", "u_time"), now)
        job_id = store.insert_job(
            connection,
            **texts,
            **moments,
            job_status=JobStatus.STARTED.value,
            job_tags=",".join(plan.tags),
            ret_stat="",
            ret_data=None,
            job_cost=0.0,
            job_extra=plan.extra,
            job_timeout=plan.timeout_seconds,
            job_lock=",".join(plan.locks),
            exe_id=0,
            is_valid=True,
            deadline=self._clock.after(plan.timeout_seconds),
        )
        _take_locks(connection, job_id, plan.locks)
        store.insert_tasks(connection, [_task_row(job_id, task, plan.timeout_seconds, now) for task in plan.tasks])
        return job_id, self._jobs.begin(connection, store.get_job(connection, job_id))

    def _in_write_again(self, work: Callable[[Connection], Result]) -> Result:
        """Do `work` in one transaction, again where another one took a name or a lock in between: then it is seen.

        Raises:
            Unavailable: others keep taking what this one wants.
        """
        for _ in range(_TRIES):
            try:
                return in_write(self._engine, work)
            except IntegrityError as error:
                log.info("job_collided", problem=str(error.orig))
        raise Unavailable(what="database")


def _node(row: Any) -> Node:
    failed = row.ret_stat if row.task_status == TaskStatus.FAILED else ""
    return Node(row.task_label, row.task_cmd, row.task_status, store.split(row.task_dependencies), failed)


def _task_row(job_id: int, task: Any, timeout_seconds: int, now: Any) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "task_label": task.label,
        "task_reqid": "",
        "task_cmd": task.cmd,
        "task_params": task.params,
        "task_requires": ",".join(task.requires),
        "task_provides": ",".join(task.provides),
        "task_dependencies": ",".join(task.dependencies),
        "task_status": TaskStatus.WAITING.value,
        "task_cost": 0.0,
        "task_extra": task.extra,
        "task_is_save": task.is_save,
        "ret_stat": "",
        "ret_data": None,
        "task_retrymax": task.retry_max,
        "task_retrycount": 0,
        "task_timeout": task.timeout_seconds or timeout_seconds,
        "c_time": now,
        "s_time": now,
        "u_time": now,
        "async_task_id": None,
    }


def _checked_texts(command: commands.CreateJob, name: str, caller: Caller) -> dict[str, str]:
    """Return the texts of the job's row, seen to fit.

    Raises:
        Refused: one is too long for its column.
    """
    texts = {
        "job_namespace": command.job_namespace,
        "job_name": name,
        "job_type": command.job_type,
        "job_client": caller.client[:64],
        "job_reqid": caller.reqid,
        "operator": caller.operator,
    }
    try:
        return {what: fitting(text, what, 64) for what, text in texts.items()}
    except GraphRefused as error:
        raise Refused(Stat.JOB_CREATE_FAILED, str(error)) from None


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


def _take_locks(connection: Connection, job_id: int, names: tuple[str, ...]) -> None:
    holders = store.list_lock_holders(connection, names)
    for name in sorted(holders):
        if holders[name] != job_id:
            raise Refused(Stat.JOB_LOCKED, f"job {holders[name]} holds the lock {name}", job_id=holders[name])
    store.insert_locks(connection, job_id, set(names) - set(holders))


def _name_taken(name: str) -> Refused:
    return Refused(Stat.JOB_EXIST, f"a job has the name {name[:64]} already")


def _narrowed(wanted: str | None, namespace: str) -> str:
    """Return the one namespace that a caller may see; another's is one that holds nothing."""
    return namespace if wanted in (None, namespace) else ""
