"""Who judges a history sees each kind of broken promise; a judge that can't say no proves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.task_history import Window, find_broken_promises
from tests.support.task_load import Call

ROW: dict[str, Any] = {
    "id": 1,
    "user_task_id": "k",
    "run_count": 1,
    "status": 2,
    "progress": 5,
    "result": None,
    "end_time": None,
    "lease_until": "later",
}


def _call(op: str, sent: dict[str, Any], data: Any = None, *, status: int | None = 200, at: float = 0.0) -> Call:
    return Call(op, sent, status, data, "2" if status == 503 else None, at, at + 0.5)


ADDED = _call("add", {"user_task_id": "k"}, {"task_id": 1})
STARTED = _call("start", {"task_id": 1, "claim_id": "a"}, {"task_id": 1, "run_count": 1}, at=1)
HELD = {"task_id": 1, "run_count": 1}
GOOD = [ADDED, STARTED, _call("update", {**HELD, "value": 5}, at=2)]


def _judge(history: list[Call], rows: list[dict[str, Any]], *windows: Window) -> list[str]:
    return find_broken_promises(history, rows, windows, slack_seconds=1, longest_seconds=5)


def test_a_good_history_is_good() -> None:
    assert _judge(GOOD, [ROW]) == []


@pytest.mark.parametrize(
    ("more", "changes", "said"),
    [
        ([_call("get", {}, status=500, at=3)], {}, "nobody was promised"),
        ([_call("get", {}, status=503, at=3)], {}, "503 outside"),
        ([_call("get", {}, status=None, at=3)], {}, "no answer outside"),
        ([Call("get", {}, 404, None, None, 3, 9)], {}, "took 6.0 s"),
        ([_call("add", {"user_task_id": "other"}, {"task_id": 7}, at=3)], {}, "an add is [] in the table"),
        ([], {"user_task_id": "x"}, "nobody added"),
        (
            [_call("start", {"task_id": 1, "claim_id": "b"}, {"task_id": 1, "run_count": 1}, at=3)],
            {},
            "a fence that did not rise",
        ),
        ([], {"run_count": 0, "status": 1, "lease_until": None}, "forgot a run"),
        (
            [_call("finish", {**HELD, "result": {"by": by}}, at=at) for by, at in (("x", 3), ("y", 4))],
            {"status": 3, "end_time": "now", "lease_until": None, "result": {"by": "x"}},
            "was ended as",
        ),
        ([_call("finish", {**HELD, "result": {"by": "x"}}, at=3)], {}, "an accepted end is not in the table"),
        ([], {"lease_until": None}, "without a lease"),
        (
            [
                _call("start", {"task_id": 1, "claim_id": "b"}, {"task_id": 1, "run_count": 2}, at=3),
                _call("heartbeat", HELD, at=4),
            ],
            {"run_count": 2},
            "a stale run was believed",
        ),
        (
            [_call("get", {}, {**HELD, "status": status}, at=at) for status, at in ((3, 3), (2, 4))],
            {},
            "went back",
        ),
        ([], {"progress": 4}, "an update was lost"),
    ],
)  # fmt: skip
def test_each_broken_promise_is_named(more: list[Call], changes: dict[str, Any], said: str) -> None:
    broken = _judge([*GOOD, *more], [{**ROW, **changes}])

    assert any(said in sentence for sentence in broken), broken


def test_a_fault_excuses_what_it_causes_and_no_more() -> None:
    away = [_call("get", {}, status=503, at=3), _call("get", {}, status=None, at=3)]

    assert _judge([*GOOD, *away], [ROW], Window("service killed", 3, 4, no_answer=True)) == []
    assert len(_judge([*GOOD, *away], [ROW], Window("database killed", 3, 4))) == 1
