"""Settings of gm_async_task, read once by its factory and by its keeper."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from shared.metrics.binding import Bind
from shared.settings import CommonSettings


class AsyncTaskSettings(CommonSettings):
    """What gm_async_task needs to know beside the common settings; durations are seconds."""

    async_task_database_url: SecretStr = Field(
        description="`sqlite:///file` or `mysql+pymysql://...` of the task table"
    )
    async_task_url: str = Field(
        default="",
        description="this service's address: the keeper asks whether runs can be heard; empty: leases always count",
    )
    task_names: list[str] = Field(
        default=[], description="beginnings of the task names that may be added; empty: any dotted path"
    )
    lease_seconds: float = Field(default=60, gt=0, description="a run that is not heard of for so long is lost")
    run_seconds: float = Field(default=4 * 3600, gt=0, description="limit of one run where /task/add names none")
    stop_seconds: float = Field(default=30, gt=0, description="a run asked to stop is ended after this grace time")
    max_runs: int = Field(default=3, ge=1, description="a task whose runs died so often ends as failed")
    max_result_bytes: int = Field(default=8 * 1024 * 1024, ge=1024, description="largest result of a task, as JSON")
    ring_after_seconds: float = Field(default=5, gt=0, description="the keeper rings for a task not started by then")
    ring_at_most_every_seconds: float = Field(default=60, gt=0, description="longest wait between two such rings")
    ring_window: int = Field(default=100, ge=1, description="most unanswered doorbells per queue")
    submitted_seconds: float = Field(
        default=7 * 86_400, gt=0, description="a task with a queue that nobody started ends as failed after this"
    )
    sweep_seconds: float = Field(default=1, gt=0, description="pause between two sweeps of the keeper")
    presence_seconds: float = Field(
        default=5, gt=0, description="how often a worker reports itself; silent for three times as long it is gone"
    )
    unknown_name_seconds: float = Field(
        default=60, ge=0, description="how long a task waits for a worker that has its function, once one refused it"
    )
    keeper_bind: Bind = Field(
        default="", description="host:port of the keeper's /healthz, /readyz and /metrics; empty: none"
    )
    keeper_health_file: Path | None = Field(
        default=None,
        description="the keeper says here every second how it is; `python -m gm_async_task.health` reads it",
    )
    retention_days: int = Field(
        default=0, ge=0, description="ended tasks and jobs older than this are deleted; 0: kept"
    )

    plugin_dirs: list[Path] = Field(
        default=[], description="folders with plugins of workflow jobs, as a JSON list; before those that are shipped"
    )
    workflow_queue: str = Field(default="gm_task", description="queue that the tasks of workflow jobs are sent to")
    handler_function: str = Field(
        default="gm_task.functions.handlers.run_handler",
        description="dotted path of the task function that runs the handlers of workflow jobs",
    )
    stat_with_success: bool = Field(
        default=False, description="answers of /xingqiao also have `success` and `message` beside `stat`"
    )
    graphviz_program: str = Field(
        default="dot", description="Graphviz' program, which draws the graphs of jobs as png and svg"
    )

    @property
    def silent_seconds(self) -> float:
        """How long a worker may be silent and still counts as live."""
        return 3 * self.presence_seconds

    def secrets(self) -> list[str]:
        """Return the values that must never be logged."""
        return [*super().secrets(), self.async_task_database_url.get_secret_value()]
