"""Settings of gm_task, read once by its worker's entry."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import Field

from shared.metrics.binding import Bind
from shared.settings import CommonSettings
from shared.task_api.held_run import RunPolicy

BUILT_IN_FUNCTIONS = ("gm_task.functions.orders", "gm_task.functions.handlers")
BUILT_IN_SCRIPTS = {"orderdetail": ["{python}", "-m", "gm_service.tool.celery_tasks.export_orderdetail"]}


class TaskSettings(CommonSettings):
    """What gm_task needs to know beside the common settings."""

    async_task_url: str = Field(description="address of gm_async_task, such as http://127.0.0.1:8001")
    service_url: str = Field(description="address of gm_service, for its no-login endpoint")
    service_timeout_seconds: float = Field(default=30.0, gt=0, description="longest wait for one chunk of an import")
    task_functions: list[str] = Field(
        default=[], description="modules with further task functions, as a JSON list; a business project adds its own"
    )
    handler_dirs: list[Path] = Field(
        default=[], description="folders with handlers of workflow jobs, as a JSON list; before those that are shipped"
    )
    export_scripts: dict[str, list[str]] = Field(
        default={},
        description='further export scripts, JSON: {"name": ["{python}", "-m", "module"]}; {python} is our interpreter',
    )
    script_timeout_seconds: float = Field(default=3600.0, gt=0, description="longest run of an export script")
    script_memory_mib: int = Field(default=1024, ge=64, description="most address space of an export script")
    script_stop_seconds: float = Field(
        default=2.0, ge=0, description="time between asking a script to end and killing its process group"
    )
    upload_seconds: float = Field(
        default=60.0,
        ge=0,
        description="how long a file store that is away is tried before a finished export is given up",
    )
    stop_grace_seconds: float = Field(
        default=30.0, ge=0, description="what a run that may not be repeated gets when the worker is told to stop"
    )
    return_grace_seconds: float = Field(
        default=5.0, ge=0, description="what a function gets to return once its run is over, before it is cut off"
    )
    report_seconds: float = Field(default=600.0, ge=0, description="how long the end of a run is reported")
    worker_concurrency: int = Field(default=2, ge=1, description="how many tasks one worker runs at once")
    worker_bind: Bind = Field(
        default="",
        description="host:port of the worker's /healthz, /readyz and /metrics; host:first-last where several workers "
        "stand side by side, of which each takes the first free port; empty: none",
    )
    worker_health_file: Path | None = Field(
        default=None, description="the worker says here every second how it is; `python -m gm_task.health` reads it"
    )
    worker_stall_seconds: float = Field(
        default=60.0,
        gt=0,
        description="a worker whose loop, or the watch of whose run, stands still for so long is sick",
    )
    worker_queues: list[str] = Field(default=[], description="queues of this worker, as a JSON list; empty: all")

    def scripts(self) -> dict[str, list[str]]:
        """Return the argument list of each export script by its name."""
        return {
            name: [part.replace("{python}", sys.executable) for part in argv]
            for name, argv in (BUILT_IN_SCRIPTS | self.export_scripts).items()
        }

    def run_policy(self) -> RunPolicy:
        """Return the times of a run."""
        return RunPolicy(
            language=self.language,
            report_seconds=self.report_seconds,
            stop_grace_seconds=self.stop_grace_seconds,
            return_grace_seconds=self.return_grace_seconds,
        )
