"""What is kept of others' work beside ours: each file is what its record says, and has its licence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

_FOLDERS = [Path("gm_service/static/vendor"), Path("tests/vendor")]


def _records(folder: Path) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads((folder / "vendor.json").read_text("utf-8"))
    return records


@pytest.mark.parametrize("folder", _FOLDERS, ids=str)
def test_files_are_those_that_are_recorded(folder: Path) -> None:
    for record in _records(folder):
        assert hashlib.sha256((folder / record["file"]).read_bytes()).hexdigest() == record["sha256"], record["file"]
        assert record["version"] in record["file"]


@pytest.mark.parametrize("folder", _FOLDERS, ids=str)
def test_nothing_stands_there_without_a_record_and_a_licence(folder: Path) -> None:
    records = _records(folder)
    named = {name for record in records for name in (record["file"], *record["licence_files"])}

    assert {path.name for path in folder.iterdir()} == {"vendor.json", *named}
    assert all(record["licence"] and record["licence_files"] for record in records)
