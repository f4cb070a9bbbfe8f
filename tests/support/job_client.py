"""The API of jobs over real sockets, and graphs for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.support.cluster import Cluster
from tests.support.waiting import wait_for

FILES = Path(__file__).parent / "job_files"
JOB_SETTINGS = {
    "GM_PLUGIN_DIRS": json.dumps([str(FILES / "plugins")]),
    "GM_HANDLER_DIRS": json.dumps([str(FILES / "handlers")]),
}
"""environment of a platform with the tests' own plugins and handlers"""


@dataclass
class JobClient:
    """A holder of the service key."""

    url: str
    key: str

    @classmethod
    def of(cls, platform: Cluster) -> JobClient:
        """Return the client of a platform."""
        return cls(platform.environment["GM_ASYNC_TASK_URL"], platform.secrets["GM_AUTH_KEY"])

    def ask(self, name: str, headers: dict[str, str] | None = None, **parameters: Any) -> requests.Response:
        """POST as curl does: JSON under a form's content type."""
        sent = {
            "X-Auth-Key": self.key,
            "Content-Type": "application/x-www-form-urlencoded",
            **(headers or {}),
        }
        return requests.post(f"{self.url}/xingqiao/{name}", data=json.dumps(parameters), headers=sent, timeout=30)

    def call(self, name: str, **parameters: Any) -> dict[str, Any]:
        """Return an answer, which must not be a fault of ours."""
        response = self.ask(name, **parameters)
        assert response.status_code == 200, (name, response.status_code, response.text)
        answer: dict[str, Any] = response.json()
        return answer

    def create(self, job_type: str = "ping", **parameters: Any) -> int:
        """Create a job that is accepted, and return its id."""
        answer = self.call("create_job", **{"job_namespace": "S001", "job_type": job_type, **parameters})
        assert answer["stat"] == "OK", answer
        return int(answer["job_id"])

    def create_graph(self, *tasks: dict[str, Any], **extra: Any) -> int:
        """Create a job of the given tasks."""
        return self.create("graph", job_extra={"tasks": list(tasks), **extra})

    def detail(self, job_id: int) -> dict[str, Any]:
        """Return every column of a job."""
        data: dict[str, Any] = self.call("get_job_detail", job_id=job_id)["data"]
        return data

    def tasks(self, job_id: int) -> dict[str, dict[str, Any]]:
        """Return every column of a job's tasks, by label."""
        return {task["task_label"]: task for task in self.call("list_tasks", job_id=job_id)["data"]["list"]}

    def ended(self, job_id: int, seconds: float = 30) -> dict[str, Any]:
        """Return a job when it has ended."""
        wait_for(lambda: self.detail(job_id)["job_status"] != "started", seconds, f"the end of job {job_id}")
        return self.detail(job_id)


def task(label: str, cmd: str = "/demo_api/ping", *dependencies: str, **more: Any) -> dict[str, Any]:
    """Return the arguments of one add_task."""
    return {"label": label, "cmd": cmd, "dependencies": list(dependencies), **more}
