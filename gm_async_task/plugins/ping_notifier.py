"""`ping_notifier`: is told when its jobs start and end."""

from __future__ import annotations

from typing import Any

import structlog

from gm_async_task.workflow.runner import WorkflowRunner

log = structlog.get_logger(__name__)


class PingNotifier(WorkflowRunner):
    """As `ping`, and writes each change of the job to the log."""

    def workflow(self) -> None:
        """Add both."""
        self.add_task("task1", "/demo_api/ping")
        self.add_task("task2", "/demo_api/ping", dependencies=["task1"])

    @classmethod
    def job_notifier(cls, job_obj: Any) -> None:
        """Write it down; a message to people would be sent from here."""
        log.info("job_notified", job_id=job_obj.job_id, job_name=job_obj.job_name, status=job_obj.job_status)


def setup(app: Any) -> None:
    """Register the plugin."""
    app.register_formatter("ping_notifier", PingNotifier)
