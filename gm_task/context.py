"""What a task function of this worker is given: its run, and the tools that the worker lends it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gm_task.config import TaskSettings
from gm_task.script import ScriptRunner
from shared.task_api.run import RunContext, RunFailed
from shared.task_api.transport import Transport


@dataclass(frozen=True, slots=True)
class Tools:
    """What one worker process has for all its runs."""

    settings: TaskSettings
    order_service: Transport
    """gm_service's no-login endpoint"""
    scripts: ScriptRunner


class TaskContext(RunContext):
    """A run with the worker's tools at hand."""

    def __init__(self, context: RunContext, tools: Tools) -> None:
        super().__init__(context._held)
        self.settings = tools.settings
        self.order_service = tools.order_service
        self._scripts = tools.scripts

    def run_script(self, name: str, output_dir: Path) -> Any:
        """Run the configured export script `name` and return its result.

        Raises:
            RunStopped, RunFailed: see `ScriptRunner.run`; RunFailed also where no script has this name.
        """
        argv = self.settings.scripts().get(name)
        if argv is None:
            zh = self.settings.language == "zh"
            raise RunFailed(f"没有名为 {name} 的导出。" if zh else f"There is no export {name}.", "unknown_export")
        return self._scripts.run(self, argv, output_dir)
