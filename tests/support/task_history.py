"""Holds a history of calls against the table afterwards: what may not have happened, in sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.task_load import Call

TAKEN = (200, 404, 409, 503)
ENDS = (3, 4, 5)


@dataclass(frozen=True, slots=True)
class Window:
    """When a fault was, and what it excuses."""

    what: str
    began: float
    ended: float
    no_answer: bool = False
    """whether calls may stay without an answer"""


def find_broken_promises(
    history: Sequence[Call],
    rows: Sequence[Mapping[str, Any]],
    windows: Sequence[Window],
    *,
    slack_seconds: float,
    longest_seconds: float,
) -> list[str]:
    """Return what contradicts the promises of the task API; `rows` are the table's as it is after the last call."""
    return [
        *_answers(history, windows, slack_seconds, longest_seconds),
        *_adds(history, rows),
        *_starts(history, rows),
        *_finishes(history, rows),
        *_stale_runs(history),
        *_reads(history),
        *_progress(history, rows),
    ]


def _answers(history: Sequence[Call], windows: Sequence[Window], slack: float, longest: float) -> Iterator[str]:
    for call in history:
        met = [window for window in windows if call.began <= window.ended + slack and call.ended >= window.began]
        if call.status is None and not any(window.no_answer for window in met):
            yield f"no answer outside a fault: {call}"
        if call.status is not None and call.status not in TAKEN:
            yield f"an answer that nobody was promised: {call}"
        if call.status == 503 and not met:
            yield f"503 outside a fault: {call}"
        if call.status == 503 and not call.retry_after:
            yield f"503 without Retry-After: {call}"
        if call.ended - call.began > longest:
            yield f"took {call.ended - call.began:.1f} s: {call}"


def _adds(history: Sequence[Call], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ids = defaultdict[str, list[int]](list)
    for row in rows:
        ids[row["user_task_id"]].append(row["id"])
    sent = {call.sent["user_task_id"] for call in history if call.op == "add"}
    for call in _accepted(history, "add"):
        if ids[call.sent["user_task_id"]] != [call.data["task_id"]]:
            yield f"an add is {ids[call.sent['user_task_id']]} in the table: {call}"
    yield from (f"a task that nobody added: {key}" for key in ids if key not in sent)


def _starts(history: Sequence[Call], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    claims = defaultdict[tuple[int, int], set[str]](set)
    for task_id, calls in _by_task(_accepted(history, "start")).items():
        for call in calls:
            claims[task_id, call.data["run_count"]].add(call.sent["claim_id"])
        for first, later in _one_after_the_other(calls):
            same = first.sent["claim_id"] == later.sent["claim_id"]
            if later.data["run_count"] < first.data["run_count"] + (not same):
                yield f"a fence that did not rise: {first} then {later}"
    yield from (f"run {run} was given to {winners}" for run, winners in claims.items() if len(winners) > 1)
    given = {task_id: 0 for task_id, _ in claims}
    for task_id, run_count in claims:
        given[task_id] = max(given[task_id], run_count)
    for row in rows:
        if row["run_count"] < given.get(row["id"], 0):
            yield f"task {row['id']} forgot a run: {row['run_count']} of {given[row['id']]}"


def _finishes(history: Sequence[Call], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    outcomes = defaultdict[tuple[int, int], set[str]](set)
    for call in _accepted(history, "finish"):
        outcomes[call.sent["task_id"], call.sent["run_count"]].add(call.sent["result"]["by"])
    yield from (f"run {run} was ended as {ends}" for run, ends in outcomes.items() if len(ends) > 1)
    for row in rows:
        accepted = outcomes.get((row["id"], row["run_count"]))
        if accepted and (row["status"] not in ENDS or (row["result"] or {}).get("by") not in accepted):
            yield f"an accepted end is not in the table: {accepted}, {row}"
        if row["status"] in ENDS and row["end_time"] is None:
            yield f"an end without its time: {row}"
        if (row["status"] == 2) is not (row["lease_until"] is not None):
            yield f"a lease without a run or a run without a lease: {row}"


def _stale_runs(history: Sequence[Call]) -> Iterator[str]:
    starts = _by_task(_accepted(history, "start"))
    for op in ("heartbeat", "update", "finish"):
        for call in _accepted(history, op):
            for start in starts.get(call.sent["task_id"], []):
                if start.ended < call.began and start.data["run_count"] > call.sent["run_count"]:
                    yield f"a stale run was believed: {call} after {start}"


def _reads(history: Sequence[Call]) -> Iterator[str]:
    """A task never goes back: its run count rises, and within a run its status."""
    for calls in _by_task(_accepted(history, "get")).values():
        for first, later in _one_after_the_other(calls):
            before, after = [(call.data["run_count"], min(call.data["status"], 3)) for call in (first, later)]
            if after < before:
                yield f"a task went back: {first} then {later}"


def _progress(history: Sequence[Call], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What an update was thanked for is there while its run is the last and goes on."""
    reached = defaultdict[tuple[int, int], int](int)
    for call in _accepted(history, "update"):
        run = (call.sent["task_id"], call.sent["run_count"])
        reached[run] = max(reached[run], call.sent["value"])
    for row in rows:
        if row["status"] == 2 and row["progress"] < reached.get((row["id"], row["run_count"]), 0):
            yield f"an update was lost: {row}"


def _accepted(history: Sequence[Call], op: str) -> list[Call]:
    return [call for call in history if call.op == op and call.accepted]


def _by_task(calls: Iterable[Call]) -> dict[int, list[Call]]:
    found = defaultdict[int, list[Call]](list)
    for call in calls:
        found[call.data["task_id"]].append(call)
    return found


def _one_after_the_other(calls: Sequence[Call]) -> Iterator[tuple[Call, Call]]:
    """Yield each call with the latest ones that had ended before it began."""
    ordered = sorted(calls, key=lambda call: call.began)
    for number, later in enumerate(ordered):
        yield from ((first, later) for first in ordered[:number] if first.ended < later.began)
