"""`ping`: two calls, one after the other; the least that a workflow can be."""

from __future__ import annotations

from typing import Any

from gm_async_task.workflow.runner import WorkflowRunner


class Ping(WorkflowRunner):
    """task2 runs when task1 has finished."""

    def workflow(self) -> None:
        """Add both."""
        self.add_task("task1", "/demo_api/ping")
        self.add_task("task2", "/demo_api/ping", dependencies=["task1"])


def setup(app: Any) -> None:
    """Register the plugin."""
    app.register_formatter("ping", Ping)
