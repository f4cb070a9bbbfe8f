"""Files stay where they were made: in files_dir, a folder that all hosts see."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from shared.errors import FileGone
from shared.files.aging import remove_old_files
from shared.files.names import is_of_older_run

if TYPE_CHECKING:
    from shared.files.store import HandedAs

log = structlog.get_logger(__name__)


class FolderStore:
    """See `FileStore`. A file is kept by being finished."""

    def __init__(self, files_dir: Path) -> None:
        self._files_dir = files_dir

    def keep(
        self, file: str, *, sha256: str = "", seconds: float = 0.0, given_up: Callable[[], bool] = lambda: False
    ) -> None:
        """Do nothing: it is there."""

    def require(self, file: str, folder: str) -> None:
        """See that it is a file, and that no link leads out of the folder."""
        path = (self._files_dir / file).resolve()
        if not path.is_relative_to((self._files_dir / folder).resolve()) or not path.is_file():
            raise FileGone()

    def link(self, file: str, handed: HandedAs) -> str | None:
        """Return None: gm_service or nginx sends it."""

    def remove(self, files: Iterable[str]) -> list[str]:
        """See `FileStore`."""
        return [file for file in files if self._remove(file)]

    def remove_old(self, folder: str, now: float, keep_seconds: float) -> int:
        """See `FileStore`."""
        return remove_old_files(self._files_dir / folder, now, keep_seconds)

    def remove_older_runs(self, folder: str, task_id: int, run_count: int) -> None:
        """See `FileStore`."""
        remove_older_runs(self._files_dir / folder, task_id, run_count)

    def _remove(self, file: str) -> bool:
        try:
            (self._files_dir / file).unlink(missing_ok=True)
        except OSError as error:
            log.warning("old_file_kept", file=file, problem=str(error))
            return False
        return True


def remove_older_runs(directory: Path, task_id: int, run_count: int) -> None:
    """Remove what earlier runs of a task left in `directory`, whole or not."""
    for path in [*directory.glob(f"{task_id}.*"), *directory.glob(f".{task_id}.*")]:
        if not is_of_older_run(path.name, task_id, run_count):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
