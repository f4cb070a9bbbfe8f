"""The two ways to keep finished exports behind one interface, chosen by configuration alone.

Files are made below files_dir either way. A file is named by its path there, such as `export/12.1.xlsx`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from shared.files.folder import FolderStore
from shared.settings import CommonSettings


def never() -> bool:
    """Give up nothing."""
    return False


@dataclass(frozen=True, slots=True)
class HandedAs:
    """How a file is to reach whoever downloads it."""

    content_type: str
    content_disposition: str
    method: Literal["GET", "HEAD"] = "GET"


class FileStore(Protocol):
    """Keeps finished exports; safe to use from several threads."""

    def keep(self, file: str, *, sha256: str = "", seconds: float = 0.0, given_up: Callable[[], bool] = never) -> None:
        """Put a file that was finished below files_dir where everybody finds it; repeating it is harmless.

        Tried for `seconds`; `given_up` is asked often and ends it early. Where it fails, nothing of the file is left.

        Raises:
            FileStoreAway, FileStoreRefused: it could not be kept, or `given_up` said so.
        """
        ...

    def require(self, file: str, folder: str) -> None:
        """See that the file is there and in `folder`, whatever the row says that named it.

        Raises:
            FileGone: it is not.
            FileStoreAway, FileStoreRefused: nobody can tell.
        """
        ...

    def link(self, file: str, handed: HandedAs) -> str | None:
        """Return the address that hands the file to whoever has it, for minutes; None where files_dir has the file."""
        ...

    def remove(self, files: Iterable[str]) -> list[str]:
        """Remove files; return those that are gone now. What can't be removed is logged and left for the next time."""
        ...

    def remove_old(self, folder: str, now: float, keep_seconds: float) -> int:
        """Remove some files of `folder` last changed before `now - keep_seconds`, and what killed runs left there.

        `now` is a POSIX timestamp. Returns how many; what can't be removed is logged and left for the next time.
        """
        ...

    def remove_older_runs(self, folder: str, task_id: int, run_count: int) -> None:
        """Remove what earlier runs of a task kept; what can't be removed is logged, and removed by its age."""
        ...


def open_file_store(settings: CommonSettings) -> FileStore:
    """Return the configured store; makes no connection. Call it after forking."""
    if not settings.file_store.startswith("s3://"):
        return FolderStore(settings.files_dir)
    from shared.files.s3 import open_s3_store  # noqa: PLC0415 boto3 takes a quarter of a second, and may be absent

    return open_s3_store(settings)
