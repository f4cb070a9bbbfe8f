"""Keeps the records of profiled requests and runs in a folder, finds them again, and marks what is to be profiled."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.profiling.folder import MARKS, RECORDS, keep_within, write_own
from shared.profiling.naming import write_whole
from shared.profiling.pstat_tables import Table, open_table
from shared.profiling.switch import Limits

Record = dict[str, Any]
_NEEDED = {
    *("id", "kind", "name", "way", "request_id", "task_id", "run_count", "parent"),
    *("started_at", "seconds", "cpu_seconds", "memory", "ledger", "scans"),
}
"""what lacks one of these is no record of ours, or one of another release"""
_MARKABLE = re.compile(r"\d+|\w+(\.\w+)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class ProfileStore:
    """A folder that all processes of a host write to."""

    folder: Path
    limits: Limits = field(default_factory=Limits)

    def keep(self, record: Record, table: Table | None) -> None:
        """Write a record, and beside it the pstats file that goes with it.

        Raises:
            OSError: the disk is full, or the folder not ours.
        """
        place = self._records / f"{record['id']}.json"
        written_bytes = 0
        if table:
            are_samples = record["way"] == "sample"
            written = write_whole(
                place.with_suffix(".prof"), 0, lambda unfinished: write_own(table, unfinished, are_samples=are_samples)
            )
            written_bytes = written.stat().st_size
        text = json.dumps(record, ensure_ascii=False)
        write_whole(place, 0, lambda unfinished: unfinished.write_text(text, "utf-8"))
        keep_within(self.folder, self.limits, written_bytes + len(text))

    def list_records(self) -> list[Record]:
        """Return all records, the newest first."""
        return sorted(self._read(), key=lambda record: str(record["started_at"]), reverse=True)

    def find(self, wanted: str) -> list[Record]:
        """Return the records of a task, function, request or record, with those that they called; oldest first.

        Of a task or function that ran more than once, the last profiled run.
        """
        records = self.list_records()
        runs = [r for r in records if r["kind"] == "task" and wanted in (str(r["task_id"]), r["name"])]
        found = runs[:1] or [record for record in records if wanted in (record["id"], record["request_id"])]
        return _with_called(found, records)

    def list_runs(self, task_id: int) -> list[Record]:
        """Return the records of a task's own runs, the newest first."""
        return [record for record in self.list_records() if _is_run_of(record, task_id)]

    def find_run(self, task_id: int, record_id: str) -> list[Record]:
        """Return one run of a task with the records that it called, oldest first; nothing where it is another's."""
        records = self.list_records()
        return _with_called([r for r in records if r["id"] == record_id and _is_run_of(r, task_id)], records)

    def table_of(self, record: Record) -> Table:
        """Return the record's profile; empty where its way makes none, or it is gone.

        Raises:
            NoProfile: the file is damaged.
        """
        path = self.profile_of(record)
        return open_table(path) if path.is_file() else {}

    def profile_of(self, record: Record) -> Path:
        """Return where the record's pstats file is, if it has one."""
        return self._records / f"{record['id']}.prof"

    def mark(self, wanted: str, way: str) -> None:
        """Have the next run of a task (by its id) or of a function (by its dotted path) profiled, once.

        Raises:
            OSError: the folder can't be written.
            ValueError: that can be neither.
        """
        if not _MARKABLE.fullmatch(wanted):
            raise ValueError(f"{wanted!r} is neither a task's id nor a function's dotted path")
        write_whole(self._marks / wanted, 1 << 63, lambda unfinished: unfinished.write_text(way))

    def take_mark(self, wanted: str) -> str | None:
        """Return the way of a mark and remove it; of several that ask, one is told."""
        path = self._marks / wanted
        taken = path.with_name(f"{wanted}.taken")
        with contextlib.suppress(OSError):
            path.rename(taken)
            way = taken.read_text()
            taken.unlink()
            return way
        return None

    @property
    def _records(self) -> Path:
        return self.folder / RECORDS

    @property
    def _marks(self) -> Path:
        return self.folder / MARKS

    def _read(self) -> Iterator[Record]:
        for path in self._records.glob("*.json"):
            # Another process may be removing it.
            with contextlib.suppress(OSError, ValueError):
                record = json.loads(path.read_text("utf-8"))
                if isinstance(record, dict) and record.keys() >= _NEEDED:
                    yield record


def _is_run_of(record: Record, task_id: int) -> bool:
    return bool(record["kind"] == "task" and record["task_id"] == task_id)


def _with_called(found: list[Record], records: list[Record]) -> list[Record]:
    """Return these records with those that they called, oldest first."""
    ids = {record["id"] for record in found}
    while called := {r["id"] for r in records if r["parent"] in ids} - ids:
        ids |= called
    return sorted((record for record in records if record["id"] in ids), key=lambda r: str(r["started_at"]))
