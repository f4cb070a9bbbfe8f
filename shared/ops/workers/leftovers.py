"""Which workers of a host nobody wants: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A worker of this host."""

    pid: int
    is_supervised: bool
    is_drained: bool
    """its version was ended by a release"""
    age_seconds: float


def find_leftovers(workers: Iterable[Candidate], expected: int | None) -> dict[int, str]:
    """Return the ids of the workers to end, each with the reason.

    `expected`: how many this host should have. Without it only those that supervisor doesn't know are left over; with
    it, those beyond it: first who is unknown to supervisor, then who is drained, then the oldest.
    """
    everyone = sorted(workers, key=lambda each: (each.is_supervised, not each.is_drained, -each.age_seconds))
    if expected is None:
        return {each.pid: "supervisor does not know it" for each in everyone if not each.is_supervised}
    beyond = everyone[: max(0, len(everyone) - expected)]
    return {each.pid: _why(each, expected) for each in beyond}


def _why(worker: Candidate, expected: int) -> str:
    if not worker.is_supervised:
        return f"one more than {expected}, and supervisor does not know it"
    return f"one more than {expected}, and {'its version was ended' if worker.is_drained else 'the oldest'}"
