"""R8 in small: mixed calls while the database is killed, frozen, locked and cut off, and the service killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import MARIADB
from tests.support.mixed_calls import FAULTS, run_mixed_calls

SEED, CALLS = 20261121, 500
LONGEST_SECONDS, LOCKED_SECONDS = 12.0, 3.0
SHORTER = {"SIGSTOP 5 s": lambda faults: faults.freeze_database(2.0)}

pytestmark = pytest.mark.timeout(180)


def test_faults_of_the_database_break_no_promise(tmp_path: Path) -> None:
    MARIADB.need()

    faults = list({**FAULTS, **SHORTER}.values())
    outcome = run_mixed_calls(tmp_path, SEED, faults, calls=CALLS, longest_seconds=LONGEST_SECONDS)

    assert outcome.broken == []
    answers = outcome.answers()
    assert answers[503] and answers[200] > CALLS // 2, f"the faults were felt, and most calls were not: {answers}"
    assert outcome.deadlocks > 0
    assert min(outcome.reads_while_locked) < LOCKED_SECONDS / 2, "who reads waits for no lock"
    assert "request_failed" not in outcome.log
