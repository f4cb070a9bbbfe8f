"""One application a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.service import Service


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """The service with two stations and no tasks."""
    return Service(tmp_path)
