"""`hello`: parameters out of job_extra, and a last task that collects what the others returned."""

from __future__ import annotations

from typing import Any, ClassVar

from gm_async_task.workflow.runner import WorkflowRunner


class Hello(WorkflowRunner):
    """task1 says something, task2 follows, task3 keeps both results as the job's."""

    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"str_info": {"type": "string"}},
        "required": ["str_info"],
    }

    def params_check(self) -> None:
        """Ask for what task1 requires."""
        if "str_info" not in self.job_extra:
            raise ValueError("job_extra has no str_info")

    def workflow(self) -> None:
        """Add the three."""
        self.add_task("task1", "/demo_api/hello", requires=["str_info"])
        self.add_task("task2", "/demo_api/ping", dependencies=["task1"])
        self.add_task(
            "task3", "/demo_api/collect", requires=["all_taskdata"], dependencies=["task1", "task2"], is_save=True
        )


def setup(app: Any) -> None:
    """Register the plugin."""
    app.register_formatter("hello", Hello)
