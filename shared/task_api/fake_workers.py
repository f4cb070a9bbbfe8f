"""Workers of the fake task API: those that reported, and what they are told to serve."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shared.task_api.workers import LeaveWorker, ReportWorker


@dataclass
class FakeWorkers:
    """Who is there. Tests set what all of them are told; without that each serves the queues it is set up for."""

    report_seconds: float = 5.0
    serve: list[str] | None = None
    drained: bool = False
    present: dict[str, ReportWorker] = field(default_factory=dict)

    def report(self, command: ReportWorker) -> dict[str, Any]:
        """Answer /worker/report."""
        self.present[command.name] = command
        serve = command.queues if self.serve is None else self.serve
        return {"serve": serve, "report_seconds": self.report_seconds, "drained": self.drained}

    def leave(self, command: LeaveWorker) -> None:
        """Answer /worker/leave."""
        self.present.pop(command.name, None)

    def know(self, task_name: str) -> bool:
        """Tell whether one of them has a function."""
        return any(task_name in worker.functions for worker in self.present.values())
