"""`hello_params`: parameters that are given when the task is added."""

from __future__ import annotations

from typing import Any, ClassVar

from gm_async_task.workflow.runner import WorkflowRunner


class HelloParams(WorkflowRunner):
    """task1 is told what to say, task2 follows, task3 keeps both results as the job's."""

    schema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {"str_info": {"type": "string"}}}

    def workflow(self) -> None:
        """Add the three."""
        said = {"str_info": self.job_extra.get("str_info", "hello")}
        self.add_task("task1", "/demo_api/hello", params=said)
        self.add_task("task2", "/demo_api/ping", dependencies=["task1"])
        self.add_task(
            "task3", "/demo_api/collect", requires=["all_taskdata"], dependencies=["task1", "task2"], is_save=True
        )


def setup(app: Any) -> None:
    """Register the plugin."""
    app.register_formatter("hello_params", HelloParams)
