"""R8: thousands of mixed calls through a proxy while the database and the service are broken in every way, twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import MARIADB
from tests.support.mixed_calls import FAULTS, run_mixed_calls

SEED, CALLS, ROUNDS = int(os.environ.get("GM_CHAOS_SEED", "20261121")), 2000, 2
LONGEST_SECONDS = 25.0
"""a silent link is waited for twice, 10 seconds each"""

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]


def test_mixed_calls_through_every_fault_of_the_database(tmp_path: Path) -> None:
    MARIADB.need()
    longer = {
        "locked rows, longer than anybody waits": lambda faults: faults.lock_rows(7.0),
        "silent links": lambda faults: faults.silence_links(25.0),
    }
    faults = [*FAULTS.values(), *longer.values()] * ROUNDS
    print(f"seed {SEED}")  # noqa: T201 to run it again

    outcome = run_mixed_calls(tmp_path, SEED, faults, calls=CALLS, longest_seconds=LONGEST_SECONDS)

    print(outcome.summary())  # noqa: T201
    assert outcome.broken == []
    assert len(outcome.history) >= CALLS
    assert max(outcome.reads_while_locked) < 1.0
    assert "request_failed" not in outcome.log
