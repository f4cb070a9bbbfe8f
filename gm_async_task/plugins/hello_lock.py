"""`hello_lock`: job_extra checked by a JSON schema; of all jobs that name one lock, one runs."""

from __future__ import annotations

from typing import Any, ClassVar

import jsonschema

from gm_async_task.workflow.runner import WorkflowRunner


class HelloLock(WorkflowRunner):
    """Says something under the locks, and within the time, that job_extra names."""

    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "str_info": {"type": "string"},
            "job_timeout": {"type": "integer", "minimum": 1},
            "job_locks": {"type": "string"},
            "job_tags": {"type": "string"},
        },
        "required": ["str_info"],
    }

    def params_check(self) -> None:
        """Check job_extra, and take the job's time, locks and tags from it."""
        jsonschema.validate(self.job_extra, self.schema)
        self.job_timeout = self.job_extra.get("job_timeout", self.job_timeout)
        self.job_locks = self.job_extra.get("job_locks", "hello_lock")
        self.job_tags = self.job_extra.get("job_tags", "")

    def workflow(self) -> None:
        """Add both."""
        self.add_task("task1", "/demo_api/hello", requires=["str_info"])
        self.add_task("task2", "/demo_api/ping", dependencies=["task1"])


def setup(app: Any) -> None:
    """Register the plugin."""
    app.register_formatter("hello_lock", HelloLock)
