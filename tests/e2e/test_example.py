"""The README's example, run as the README says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.task_api.models import TaskStatus
from tests.support.cluster import ROOT, Cluster

START = "from examples.monthly_report import start_report; print(start_report('S001', ['2026-01', '2026-02']))"


@pytest.mark.timeout(120)
def test_example_runs_on_the_platform(tmp_path: Path) -> None:
    with Cluster(tmp_path, GM_TASK_FUNCTIONS='["examples.monthly_report"]') as cluster:
        started = subprocess.run(
            [sys.executable, "-c", START], env=cluster.environment, check=True, capture_output=True, text=True
        )
        task = cluster.ended(int(started.stdout.split()[-1]))

    assert (task.status, task.progress) == (TaskStatus.FINISHED, 100)
    assert task.result == {"2026-01": 49995000, "2026-02": 49995000}


def test_readme_shows_the_example_as_it_is() -> None:
    example = (ROOT / "examples" / "monthly_report.py").read_text()

    assert example in (ROOT / "README.md").read_text()
