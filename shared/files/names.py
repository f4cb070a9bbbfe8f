"""How files are named: `folder/name`, and of a task's run `folder/<task id>.<run count>.<extension>`."""

from __future__ import annotations

from pathlib import PurePosixPath

EXPORT_DIR = "export"
"""where the worker's exports stand"""
SYNC_DIR = "sync"
"""where exports made at once stand"""


def is_in(folder: str, file: str) -> bool:
    """Tell whether `file` names something directly in `folder`, whatever was written into its row."""
    path = PurePosixPath(file)
    return path.parts == (folder, path.name) and file == f"{folder}/{path.name}" and path.name not in ("", ".", "..")


def is_of_older_run(name: str, task_id: int, run_count: int) -> bool:
    """Tell whether the file or unfinished folder `name` is of a run of the task before `run_count`."""
    task, _, rest = name.lstrip(".").partition(".")
    run = rest.split(".")[0]
    return task == str(task_id) and run.isdigit() and int(run) < run_count
