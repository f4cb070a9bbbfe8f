"""Which workers of a host are left over."""

from __future__ import annotations

import pytest

from shared.ops.workers.leftovers import Candidate, find_leftovers

KNOWN = [Candidate(1, True, False, 100), Candidate(2, True, False, 50)]
STRAY = Candidate(3, False, False, 10)
DRAINED = Candidate(4, True, True, 5)


@pytest.mark.parametrize(
    ("workers", "expected", "ended"),
    [
        (KNOWN, None, []),
        ([*KNOWN, STRAY, DRAINED], None, [3]),
        ([*KNOWN, STRAY, DRAINED], 4, []),
        ([*KNOWN, STRAY, DRAINED], 3, [3]),
        ([*KNOWN, STRAY, DRAINED], 2, [3, 4]),
        ([*KNOWN, STRAY, DRAINED], 1, [3, 4, 1]),
        ([*KNOWN, STRAY, DRAINED], 0, [3, 4, 1, 2]),
        (KNOWN, 5, []),
        ([], 0, []),
    ],
)
def test_left_over_is_what_nobody_wants(workers: list[Candidate], expected: int | None, ended: list[int]) -> None:
    leftovers = find_leftovers(workers, expected)

    assert list(leftovers) == ended
    assert all(leftovers.values()), "each has its reason"
