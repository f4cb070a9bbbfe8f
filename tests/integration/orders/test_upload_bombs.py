"""S-f: files made to hurt are refused, or harmless, within 5 seconds and 256 MB, and the reader goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.bombs import BOMBS, HARMLESS
from tests.support.order_files import GOOD_CELLS, TITLES, xlsx_by_openpyxl

ROOT = Path(__file__).resolve().parents[3]
MAX_SECONDS = 5.0
MAX_RSS_MIB = 256
EXPECTED = {**BOMBS, **HARMLESS}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Read every file, and a good one last, in one process; return what came of each by name."""
    folder = tmp_path_factory.mktemp("bombs")
    for make in EXPECTED:
        (folder / make.__name__).write_bytes(make())
    (folder / "good").write_bytes(xlsx_by_openpyxl(TITLES, GOOD_CELLS))
    paths = [str(folder / make.__name__) for make in EXPECTED] + [str(folder / "good")]
    argv = [sys.executable, "-m", "tests.support.read_files", *paths]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["name"]: line for line in lines}


@pytest.mark.parametrize("make", EXPECTED, ids=lambda make: make.__name__)
def test_bomb_is_refused_within_its_bounds(make: Callable[[], bytes], reports: dict[str, dict[str, Any]]) -> None:
    report = reports[make.__name__]

    assert report["outcome"].startswith(EXPECTED[make])
    assert report["seconds"] <= MAX_SECONDS
    assert report["rss_mib"] <= MAX_RSS_MIB


def test_reader_lives_on(reports: dict[str, dict[str, Any]]) -> None:
    assert reports["good"]["outcome"] == "read 1 rows"
