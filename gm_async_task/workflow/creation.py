"""Creates jobs: the contract's checks in their order, then one transaction, then the first tasks' bells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.engine import Connection, Engine

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks.followers import AfterCommit
from gm_async_task.workflow import commands, store
from gm_async_task.workflow.commands import Caller
from gm_async_task.workflow.engine import JobEngine
from gm_async_task.workflow.graph import GraphRefused
from gm_async_task.workflow.planning import Plan, fitting, plan_job, read_extra
from gm_async_task.workflow.plugins import Plugins
from gm_async_task.workflow.states import JobStatus, TaskStatus
from gm_async_task.workflow.stats import Refused, Stat
from gm_async_task.workflow.taking import in_write_again, take_locks
from shared.database import DatabaseClock, in_read

log = structlog.get_logger(__name__)


class JobCreation:
    """The one way in which a job comes to be."""

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

    def create(self, command: commands.CreateJob, caller: Caller) -> int:
        """Create a job, give its first tasks to the workers, and return its id.

        Raises:
            Refused: in the contract's order: name, plugin, extra, the plugin's own check and the graph, locks.
            Unavailable: nothing was created.
        """
        name = caller.reqid if command.job_name is None else command.job_name
        self._refuse_taken(name)
        plugin = self._plugins.find(command.job_type)
        if plugin is None:
            raise Refused(Stat.JOB_TYPE_NOT_EXISTS, f"no plugin offers jobs of the type {command.job_type[:64]}")
        extra, extra_text = read_extra(command.job_extra)
        plan = plan_job(plugin, extra, extra_text, command.job_timeout, self._settings.task_names)
        texts = _checked_texts(command, name, caller)
        job_id, after = in_write_again(
            self._engine, lambda connection: self._insert(connection, texts, plan), lambda: self._refuse_taken(name)
        )
        log.info("job_created", job_id=job_id, job_type=command.job_type, tasks=len(plan.tasks))
        after()
        return job_id

    def _insert(self, connection: Connection, texts: dict[str, str], plan: Plan) -> tuple[int, AfterCommit]:
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
            deadline=now + timedelta(seconds=plan.timeout_seconds),
        )
        take_locks(connection, job_id, plan.locks)
        store.insert_tasks(connection, [_task_row(job_id, task, plan.timeout_seconds, now) for task in plan.tasks])
        return job_id, self._jobs.begin(connection, store.get_job(connection, job_id), now)

    def _refuse_taken(self, name: str) -> None:
        if in_read(self._engine, lambda connection: store.is_name_taken(connection, name)):
            raise Refused(Stat.JOB_EXIST, f"a job has the name {name[:64]} already")


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
