"""Puts the workflow room together, for the HTTP service and for the keeper alike."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Engine

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks.ring import Queue
from gm_async_task.workflow.creation import JobCreation
from gm_async_task.workflow.engine import JobEngine
from gm_async_task.workflow.notices import Notifier
from gm_async_task.workflow.plugins import BUILT_IN, Plugins
from gm_async_task.workflow.service import JobService
from gm_async_task.workflow.statistics import JobStatistics
from gm_async_task.workflow.sweep import JobSweeper
from shared.database import DatabaseClock


@dataclass(frozen=True, slots=True)
class WorkflowRoom:
    """What others use of it."""

    plugins: Plugins
    notifier: Notifier
    job_engine: JobEngine
    creation: JobCreation
    service: JobService
    statistics: JobStatistics
    sweeper: JobSweeper


def make_workflow_room(engine: Engine, settings: AsyncTaskSettings, clock: DatabaseClock, queue: Queue) -> WorkflowRoom:
    """Return the room made of these parts; nothing runs and no plugin is loaded yet."""
    plugins = Plugins([*settings.plugin_dirs, BUILT_IN])
    notifier = Notifier(engine, clock, plugins, settings.zone)
    job_engine = JobEngine(settings, clock, queue, notifier)
    return WorkflowRoom(
        plugins=plugins,
        notifier=notifier,
        job_engine=job_engine,
        creation=JobCreation(engine, settings, clock, plugins, job_engine),
        service=JobService(engine, settings, job_engine),
        statistics=JobStatistics(engine, settings.zone),
        sweeper=JobSweeper(engine, clock, job_engine, notifier, settings.retention_days),
    )
