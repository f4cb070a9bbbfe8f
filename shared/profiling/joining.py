"""Puts profiles of several processes into one: what was waited for stands where it was waited for."""

from __future__ import annotations

from shared.profiling.flow import Entry, flow_of
from shared.profiling.pstat_tables import Place, Row, Table, merge


def graft(outer: Table, inner: Table, at: Place) -> Table:
    """Return one table of a process and of what it waited for in another one, as if it had been called there.

    What was profiled inside comes out of the own time of `at`, the function that waited.
    """
    entries = flow_of(inner).entries
    seconds = sum(entry.seconds for entry in entries)
    called = {entry.place: _called_from(inner[entry.place], at, entry) for entry in entries}
    primitive, calls, own, total, callers = outer[at]
    waited = {at: (primitive, calls, max(0.0, own - seconds), total, callers)}
    return merge([{**outer, **waited}, {**inner, **called}])


def _called_from(row: Row, caller: Place, entry: Entry) -> Row:
    own = row[2] * entry.seconds / row[3] if row[3] > 0 else 0.0
    return (*row[:4], {**row[4], caller: (entry.calls, entry.calls, own, entry.seconds)})
