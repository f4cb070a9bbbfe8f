"""What runs took of memory, and which types and lines kept growing from run to run; pure, over records."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.profiling.store import Record


@dataclass(frozen=True, slots=True)
class RunMemory:
    """One run; bytes of the process."""

    record_id: str
    started_at: str
    before: int
    after: int
    peak: int

    @property
    def grew(self) -> int:
        """What it left behind."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Growth:
    """The runs of one function or endpoint, oldest first."""

    name: str
    runs: list[RunMemory]
    types: list[tuple[str, int]] = field(default_factory=list)
    """objects that are more after the runs, of the types that grew in every watched run but the first, most first"""
    lines: list[tuple[str, int, int]] = field(default_factory=list)
    """file:line, bytes and objects that it left, in every watched run but the first"""


def growth_of(records: Sequence[Record], name: str = "") -> list[Growth]:
    """Return the growth of each name that contains `name`, the one with the highest peak first."""
    by_name: dict[str, list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda record: str(record["started_at"])):
        if name in record["name"] and record["memory"]:
            by_name[record["name"]].append(record)
    found = [_growth(name, runs) for name, runs in by_name.items()]
    return sorted(found, key=lambda growth: -max(run.peak for run in growth.runs))


def _growth(name: str, records: list[Record]) -> Growth:
    runs = [
        RunMemory(
            record["id"],
            record["started_at"],
            record["memory"]["before"],
            record["memory"]["after"],
            record["memory"]["peak"],
        )
        for record in records
    ]
    watched = [record["memory"] for record in records if "types" in record["memory"]]
    # The first run of a process imports modules and fills caches, which looks like a leak and is none.
    later = watched[1:] or watched
    return Growth(name, runs, _types(later), _lines(later))


def _types(watched: list[Record]) -> list[tuple[str, int]]:
    grew = Counter[str]()
    for memory in watched:
        grew.update(memory["types"])
    steady = [name for name in grew if all(name in memory["types"] for memory in watched)]
    return sorted(((name, grew[name]) for name in steady), key=lambda item: -item[1])


def _lines(watched: list[Record]) -> list[tuple[str, int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    seen = Counter[str]()
    for memory in watched:
        for line in memory["lines"]:
            grown, objects = sums.get(line["line"], (0, 0))
            sums[line["line"]] = (grown + line["bytes"], objects + line["objects"])
            seen[line["line"]] += 1
    steady = [(line, *sums[line]) for line, times in seen.items() if times == len(watched)]
    return sorted(steady, key=lambda item: -item[1])
