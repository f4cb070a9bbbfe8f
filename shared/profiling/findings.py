"""What is wrong in a profiled request or run: pure rules over its records and its profile."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from shared.profiling.ledger import SCAN_ROWS
from shared.profiling.pstat_tables import Place, Table
from shared.profiling.report import show_place
from shared.profiling.shares import is_our_code
from shared.profiling.wanted_index import advise

LOOP_COUNT = 20
"""so often in one request or run the same statement from the same line is a loop"""
PAGE_ROWS = 100
"""a statement with so many rows each time goes through something page by page, as it should"""
_PAGES = 200
_LARGE_PAGE_ROWS = 1_000
"""whoever goes through something in so many pages should take larger ones, up to this"""
CALLS = 50_000
_BUSY_SHARE = 0.03
"""a function that takes less of the time, however often it is called, is not worth a word"""
_SLOW_SHARE = 0.05
_SHAPE_CHARACTERS = 160
_PAGE = re.compile(r"\bLIMIT\b|\bFETCH\b|\bIN ?\(+\?", re.IGNORECASE)
_NO_INDEX = "No index is sure to help: see whether it must look at every row."
_VERBS_THAT_BEGIN = ("PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "SET ")


class Step(IntEnum):
    """The manual's order of advice."""

    INDEX = 1
    BATCH = 2
    CODE = 3
    ASYNCHRONOUS = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to be done, told in a sentence; `advice` says what."""

    step: Step
    told: str
    advice: str
    seconds: float = 0.0


def find_loops(records: Sequence[dict[str, Any]]) -> list[Finding]:
    """Find statements that one request or run issued again and again from one line."""
    return [_loop(entry) for record in records for entry in record["ledger"] if _is_loop(entry)]


def _is_loop(entry: dict[str, Any]) -> bool:
    is_of_the_connection = entry["shape"].upper().startswith(_VERBS_THAT_BEGIN)
    return entry["count"] >= LOOP_COUNT and not _is_page_by_page(entry) and not is_of_the_connection


def _is_page_by_page(entry: dict[str, Any]) -> bool:
    """Tell whether it takes many rows at a time, as it should: by LIMIT, or for a list of keys.

    The lines of one order are no page, however many they are.
    """
    rows = entry["rows"] / entry["count"]
    is_page = rows >= PAGE_ROWS and _PAGE.search(entry["shape"]) is not None
    return is_page and (rows >= _LARGE_PAGE_ROWS or entry["count"] < _PAGES)


def _loop(entry: dict[str, Any]) -> Finding:
    verb = entry["shape"].split(" ", 1)[0].upper()
    in_one = "one statement with IN (...) or a JOIN" if verb in ("SELECT", "WITH") else "one execute() with all rows"
    return Finding(
        Step.BATCH,
        f"{entry['count']:,} times the same {verb} from {entry['line']}: a query in a loop "
        f"({entry['total_seconds']:.2f} s): {_short(entry['shape'])}",
        f"Take it out of the loop at {entry['line']}: {in_one}.",
        entry["total_seconds"],
    )


def find_scans(records: Sequence[dict[str, Any]]) -> list[Finding]:
    """Find full scans of tables that are large, with the index to add; each once."""
    found: dict[tuple[str, str, str], Finding] = {}
    for record in records:
        for scan in record["scans"]:
            finding = _scan(scan, _seconds_of(record, scan)) if scan["rows_examined"] >= SCAN_ROWS else None
            if finding is not None:
                found.setdefault((scan["shape"], scan["line"], scan["table"]), finding)
    return list(found.values())


def _scan(scan: dict[str, Any], seconds: float) -> Finding | None:
    told = f"full scan of {scan['table']}, {scan['rows_examined']:,} rows examined by {scan['line']}"
    if scan.get("possible"):
        return Finding(
            Step.INDEX,
            f"{told}: the database preferred it to {scan['possible']} ({_short(scan['shape'])})",
            "Ask for fewer of the rows, or bring the statistics up to date (ANALYZE TABLE).",
            seconds,
        )
    facts = scan.get("facts")
    advice = advise(scan["shape"], scan["table"], scan["database"], facts, sorts=scan.get("sorts", False))
    if advice.is_meant:
        return None
    table = facts["name"] if facts else scan["table"]
    told = f"full scan of {table}, {scan['rows_examined']:,} rows examined by {scan['line']}"
    wanted = advice.wanted if facts else None  # else it might be there already
    if wanted is None:
        return Finding(Step.INDEX, f"{told} ({_short(scan['shape'])})", _NO_INDEX, seconds)
    return Finding(
        Step.INDEX, f"{told}: no index serves ({', '.join(wanted.columns)})", f"{wanted.statement()};", seconds
    )


def _seconds_of(record: dict[str, Any], scan: dict[str, Any]) -> float:
    return sum(
        float(entry["total_seconds"])
        for entry in record["ledger"]
        if (entry["shape"], entry["line"]) == (scan["shape"], scan["line"])
    )


def find_hot_functions(table: Table, counts_calls: bool) -> list[Finding]:
    """Find a function of our own that takes much of the time by itself, and one that is called too often."""
    total = sum(row[2] for row in table.values())
    found = []
    slow = slowest(table)
    if slow is not None and total > 0 and table[slow][2] >= _SLOW_SHARE * total:
        row = table[slow]
        times = f" in {row[1]:,} calls" if counts_calls else ""
        found.append(
            Finding(
                Step.CODE,
                f"slowest function {show_place(slow)}: {row[2]:.3f} s of its own, {row[2] / total:.0%}{times}",
                f"Look into {show_place(slow)}: do it once, or do less.",
                row[2],
            )
        )
    busy = most_called(table) if counts_calls else None
    if busy is not None and table[busy][1] >= CALLS and table[busy][3] >= _BUSY_SHARE * total:
        row = table[busy]
        found.append(
            Finding(
                Step.CODE,
                f"{show_place(busy)} is called {row[1]:,} times ({row[3]:.3f} s){_by_whom(table, busy)}",
                "Take it out of the loop, or make one call for many values.",
                row[2],
            )
        )
    return found


def slowest(table: Table) -> Place | None:
    """Return the function with most own time: of our code, or else of a library's."""
    return max(_candidates(table), key=lambda place: table[place][2], default=None)


def most_called(table: Table) -> Place | None:
    """Return the function that was called most often: of our code, or else of a library's."""
    return max(_candidates(table), key=lambda place: table[place][1], default=None)


def _candidates(table: Table) -> list[Place]:
    in_files = [place for place in table if place[0] not in ("~", "") and not place[0].startswith("<")]
    return [place for place in in_files if is_our_code(place)] or in_files


def _by_whom(table: Table, place: Place) -> str:
    callers = table[place][4]
    if not callers:
        return ""
    first = max(callers, key=lambda caller: callers[caller][1] if isinstance(callers[caller], tuple) else 0)
    return f", most of them by {show_place(first)}"


def advise_asynchronous(total_seconds: float, waiting_seconds: float, kind: str) -> list[Finding]:
    """Say when a request should become a task: last, and only where it still takes long."""
    if kind != "request" or total_seconds < 1.0:
        return []
    return [
        Finding(
            Step.ASYNCHRONOUS,
            f"the request takes {total_seconds:.1f} s, {waiting_seconds:.1f} s of it waiting for others",
            "Once indexes and loops are done and it is still slow: give it to the platform as a task "
            "(README: Write a task function).",
            total_seconds,
        )
    ]


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the manual's order: index, batch, code, asynchronous; the costliest of each first."""
    return sorted(findings, key=lambda finding: (finding.step, -finding.seconds))


def sum_statements(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the ledgers of several records as one, what took longest first."""
    sums: dict[tuple[str, str], dict[str, Any]] = {}
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        for entry in record["ledger"]:
            grouped[entry["shape"], entry["line"]].append(entry)
    for key, entries in grouped.items():
        sums[key] = {
            **entries[0],
            "count": sum(entry["count"] for entry in entries),
            "rows": sum(entry["rows"] for entry in entries),
            "total_seconds": sum(entry["total_seconds"] for entry in entries),
            "worst_seconds": max(entry["worst_seconds"] for entry in entries),
        }
    return sorted(sums.values(), key=lambda entry: -entry["total_seconds"])


def _short(shape: str) -> str:
    return shape if len(shape) <= _SHAPE_CHARACTERS else f"{shape[:_SHAPE_CHARACTERS]}..."
