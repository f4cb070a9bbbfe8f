"""A desk of jobs on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.jobs import JobDesk, make_desk


@pytest.fixture
def plugin_dir(tmp_path: Path) -> Path:
    """The folder of the operator's own plugins."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    return folder


@pytest.fixture
def desk(database_url: str, plugin_dir: Path) -> Iterator[JobDesk]:
    """The API on each kind of database that this machine has."""
    desk = make_desk(database_url, plugin_dirs=[plugin_dir], lease_seconds=60)
    yield desk
    desk.engine.dispose()


@pytest.fixture
def quick_desk(tmp_path: Path, plugin_dir: Path) -> Iterator[JobDesk]:
    """The API on SQLite alone, for what no database has a part in."""
    desk = make_desk(f"sqlite:///{tmp_path}/jobs.db", plugin_dirs=[plugin_dir], lease_seconds=60)
    yield desk
    desk.engine.dispose()
