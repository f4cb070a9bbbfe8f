"""Puts together why a task, a request or a profiled file took its time; terminal and page show the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.profiling.findings import (
    Finding,
    advise_asynchronous,
    find_hot_functions,
    find_loops,
    find_scans,
    in_order,
    most_called,
    slowest,
    sum_statements,
)
from shared.profiling.folder import has_samples
from shared.profiling.joining import find_kept, join
from shared.profiling.pstat_tables import Place, Table, open_table
from shared.profiling.report import show_place
from shared.profiling.shares import Shares, put_in, share_out, share_without_profile
from shared.profiling.store import ProfileStore, Record

_FUNCTIONS = 12
_COUNTING = "cprofile"


@dataclass(frozen=True, slots=True)
class FunctionLine:
    """One function of the table."""

    name: str
    calls: int
    own_seconds: float
    total_seconds: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything the report shows."""

    title: str
    seconds: float
    shares: Shares
    findings: list[Finding]
    functions: list[FunctionLine]
    """those with most own time"""
    slowest: str
    most_called: str
    """empty where the profile doesn't count calls"""
    statements: list[dict[str, Any]]
    records: list[Record] = field(default_factory=list)
    table: Table = field(default_factory=dict)
    counts_calls: bool = True


def explain(store: ProfileStore, wanted: str) -> Explanation:
    """Explain a task, a request or a record by its id.

    Raises:
        NothingKept: nothing of it was profiled, or it is gone.
    """
    return explain_records(*find_kept(store, wanted))


def explain_file(path: Path) -> Explanation:
    """Explain any pstats file.

    Raises:
        NoProfile: it is none.
    """
    table = open_table(path)
    shares = share_out(table)
    return _explanation(path.name, shares.total, shares, [], table, counts_calls=not has_samples(path))


def explain_records(records: Sequence[Record], tables: Sequence[Table]) -> Explanation:
    """Explain a record and those that it called, which come after it."""
    first = records[0]
    table = join(records, tables)
    shares = share_out(table) if table else _shares_of_ledgers(records)
    counts = all(record["way"] == _COUNTING for record in records)
    return _explanation(_title(first), first["seconds"], shares, list(records), table, counts_calls=counts)


def _shares_of_ledgers(records: Sequence[Record]) -> Shares:
    shares = share_without_profile([records[0]])
    for record in records[1:]:
        shares = put_in(shares, share_without_profile([record]), "waiting")
    return shares


def _explanation(
    title: str, seconds: float, shares: Shares, records: list[Record], table: Table, *, counts_calls: bool
) -> Explanation:
    kind = records[0]["kind"] if records else ""
    findings = [
        *find_scans(records),
        *find_loops(records),
        *find_hot_functions(table, counts_calls),
        *advise_asynchronous(seconds, shares.waited, kind),
    ]
    return Explanation(
        title=title,
        seconds=seconds,
        shares=shares,
        findings=in_order(findings),
        functions=_functions(table),
        slowest=_name(slowest(table)),
        most_called=_name(most_called(table)) if counts_calls else "",
        statements=sum_statements(records),
        records=records,
        table=table,
        counts_calls=counts_calls,
    )


def _functions(table: Table) -> list[FunctionLine]:
    first = sorted(table.items(), key=lambda item: -item[1][2])[:_FUNCTIONS]
    return [FunctionLine(show_place(place), row[1], row[2], row[3]) for place, row in first]


def _name(place: Place | None) -> str:
    return show_place(place) if place else ""


def _title(record: Record) -> str:
    run = f"task {record['task_id']}, run {record['run_count']}: " if record["task_id"] is not None else ""
    request = f" (request {record['request_id']})" if record["request_id"] else ""
    return f"{run}{record['name']}{request}"
