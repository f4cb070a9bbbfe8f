"""`make run`: SQLite files and a doorbell file, so that Python is all it needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shared.ops.kept import Kept
from shared.ops.layout import Layout, Way


def lay_out(root: Path, folder: Path, kept: Kept, settings: Mapping[str, str]) -> Layout:
    """Return the platform in `folder`, without any server."""
    del root, kept
    files = {
        "GM_ASYNC_TASK_DATABASE_URL": f"sqlite:///{folder}/tasks.db",
        "GM_SERVICE_DATABASE_URL": f"sqlite:///{folder}/orders.db",
        "GM_BROKER_URL": f"doorbell:///{folder}/doorbell.db",
    }
    return Layout({**settings, **files}, settings["GM_SERVICE_URL"])


EMBEDDED = Way(
    folder=".run",
    start_command="make run",
    stop_command="make stop",
    demo_command="make demo",
    first_port=8000,
    workers=1,
    lay_out=lay_out,
)
