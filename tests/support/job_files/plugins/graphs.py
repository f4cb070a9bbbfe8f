"""Any graph that a test describes in job_extra, written as existing plugins are."""

import json
from pathlib import Path

from xlib.taskflow.taskflow import WorkflowRunner


class Graph(WorkflowRunner):
    """job_extra["tasks"] are the arguments of add_task."""

    def params_check(self):
        """Take timeout, locks and tags from job_extra."""
        self.job_timeout = self.job_extra.get("job_timeout", self.job_timeout)
        self.job_locks = self.job_extra.get("job_locks", "")
        self.job_tags = self.job_extra.get("job_tags", "")

    def workflow(self):
        """Add them."""
        for task in self.job_extra["tasks"]:
            self.add_task(**task)

    @classmethod
    def job_notifier(cls, job_obj):
        """Write down what is told, where the job says so."""
        extra = json.loads(job_obj.job_extra)
        if "notify_error" in extra:
            raise RuntimeError("the notifier raises")
        if "notify" in extra:
            with Path(extra["notify"]).open("a", encoding="utf-8") as file:
                file.write(f"{job_obj.job_id} {job_obj.job_status} {job_obj.ret_stat}\n")


def setup(app):
    """Register the plugin."""
    app.register_formatter("graph", Graph)
