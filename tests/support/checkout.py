"""A copy of what runs, as a stranger's checkout has it, and its processes."""

from __future__ import annotations

import shutil
from pathlib import Path

from shared.ops import processes
from tests.support.cluster import ROOT

ROOMS = ("shared", "gm_async_task", "gm_task", "gm_service", "supervisor", "nginx")


def copy_checkout(folder: Path) -> Path:
    """Copy the rooms that run into `folder`."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def find_processes(run: Path) -> list[int]:
    """Return the ids of the processes of `run`, a checkout's .run or .stack."""
    return processes.find_marked((run / "mark").read_text(), None, run / "mark")
