"""What a task function of this worker is given: its run, and the tools that the worker lends it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gm_task.config import TaskSettings
from gm_task.handling import Handlers
from gm_task.script import ScriptRunner
from shared.errors import FileStoreAway, FileStoreRefused
from shared.files.store import FileStore
from shared.task_api.run import RunContext, RunFailed
from shared.task_api.transport import Transport


@dataclass(frozen=True, slots=True)
class Tools:
    """What one worker process has for all its runs."""

    settings: TaskSettings
    order_service: Transport
    """gm_service's no-login endpoint"""
    scripts: ScriptRunner
    files: FileStore
    handlers: Handlers


class TaskContext(RunContext):
    """A run with the worker's tools at hand."""

    def __init__(self, context: RunContext, tools: Tools) -> None:
        super().__init__(context._held)
        self.settings = tools.settings
        self.order_service = tools.order_service
        self.handlers = tools.handlers
        self._scripts = tools.scripts
        self._files = tools.files

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

    def keep_file(self, file: str, sha256: str = "") -> None:
        """Bring a finished file below files_dir, such as `export/12.1.xlsx`, to where gm_service finds it.

        The name begins with folder, task id and run count, so that a run that lost its task replaces no other's file.

        Raises:
            RunStopped: the run must end.
            RunFailed: the file store was away for too long, or refuses; the file is lost.
        """
        try:
            self._files.keep(file, sha256=sha256, seconds=self.settings.upload_seconds, given_up=self.cancelled)
        except (FileStoreAway, FileStoreRefused) as error:
            self.check()
            code = "file_store_away" if isinstance(error, FileStoreAway) else "file_store_refused"
            raise RunFailed(error.sentence(self.settings.language), code) from error
        self._files.remove_older_runs(file.rpartition("/")[0], self.task_id, self.run_count)
