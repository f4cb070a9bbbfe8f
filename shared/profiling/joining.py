"""Puts profiles of several processes into one: what was waited for stands where it was waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.profiling.flow import Entry, entries_of
from shared.profiling.pstat_tables import Place, Row, Table, merge
from shared.profiling.shares import where_it_waits
from shared.profiling.store import ProfileStore, Record


class NothingKept(Exception):
    """There is no profile of what was asked for, in a sentence."""


def find_kept(store: ProfileStore, wanted: str) -> tuple[list[Record], list[Table]]:
    """Return the records of a task, a request or a record, those that it called after it, and their profiles.

    Raises:
        NothingKept: nothing of it was profiled, or it is gone.
        NoProfile: a file is damaged.
    """
    records = store.find(wanted)
    if not records:
        raise NothingKept(
            f"There is no profile of {wanted} in {store.folder}. `gm profile list` shows what there is, "
            "`gm profile task` has a task's next run profiled."
        )
    return records, [store.table_of(record) for record in records]


def join(records: Sequence[Record], tables: Sequence[Table]) -> Table:
    """Return the profiles of records as one: what a record called stands where it waited for it."""
    parts = dict(zip((record["id"] for record in records), tables, strict=True))
    roots = [record for record in records if record["parent"] not in parts]
    return merge([_join_below(root, records, parts) for root in roots])


def _join_below(record: Record, records: Sequence[Record], tables: Mapping[str, Table]) -> Table:
    table = tables[record["id"]]
    for called in (other for other in records if other["parent"] == record["id"]):
        inner = _join_below(called, records, tables)
        waiting = where_it_waits(table)
        table = graft(table, inner, waiting) if waiting else merge([table, inner])
    return table


def graft(outer: Table, inner: Table, at: Place) -> Table:
    """Return one table of a process and of what it waited for in another one, as if it had been called there.

    What was profiled inside comes out of the own time of `at`, the function that waited.
    """
    entries = entries_of(inner)
    seconds = sum(entry.seconds for entry in entries)
    called = {entry.place: _called_from(inner[entry.place], at, entry) for entry in entries}
    primitive, calls, own, total, callers = outer[at]
    waited = {at: (primitive, calls, max(0.0, own - seconds), total, callers)}
    return merge([{**outer, **waited}, {**inner, **called}])


def _called_from(row: Row, caller: Place, entry: Entry) -> Row:
    own = row[2] * entry.seconds / row[3] if row[3] > 0 else 0.0
    return (*row[:4], {**row[4], caller: (entry.calls, entry.calls, own, entry.seconds)})
