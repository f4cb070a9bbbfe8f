"""What a run waited for in another process stands in its profile where it waited; the whole stays the same."""

from __future__ import annotations

import pytest

from shared.profiling.explanation import explain_records
from shared.profiling.pstat_tables import Place, Table
from shared.profiling.store import Record

TASK: Place = ("/srv/gm/gm_task/functions/orders.py", 10, "import_orders")
RECEIVE: Place = ("~", 0, "<method 'recv_into' of '_socket.socket' objects>")
URLOPEN: Place = ("/srv/gm/.venv/lib/python3.11/site-packages/urllib3/connectionpool.py", 5, "urlopen")
VIEW: Place = ("/srv/gm/gm_service/routes/internal.py", 20, "create")
EXECUTE: Place = ("~", 0, "<method 'execute' of 'sqlite3.Cursor' objects>")


def make_record(kind: str, name: str, parent: str = "", seconds: float = 10.0) -> Record:
    return {
        "id": name,
        "kind": kind,
        "name": name,
        "way": "cprofile",
        "request_id": "r",
        "task_id": None,
        "run_count": None,
        "parent": parent,
        "started_at": name,
        "seconds": seconds,
        "cpu_seconds": seconds,
        "ledger": [],
        "scans": [],
    }


def make_tables() -> list[Table]:
    outer: Table = {
        TASK: (1, 1, 1.0, 10.0, {}),
        URLOPEN: (2, 2, 0.0, 9.0, {TASK: (2, 2, 0.0, 9.0)}),
        RECEIVE: (2, 2, 9.0, 9.0, {URLOPEN: (2, 2, 9.0, 9.0)}),
    }
    inner: Table = {VIEW: (1, 1, 3.0, 4.0, {}), EXECUTE: (1, 1, 1.0, 1.0, {VIEW: (1, 1, 1.0, 1.0)})}
    return [outer, inner, inner]


def test_the_waiting_of_a_run_becomes_what_the_requests_did() -> None:
    records = [make_record("task", "1"), make_record("request", "2", "1", 4.0), make_record("request", "3", "1", 4.0)]

    explanation = explain_records(records, make_tables())

    assert explanation.shares.seconds == pytest.approx({"our code": 7.0, "SQL": 2.0, "HTTP": 1.0})
    assert explanation.table[RECEIVE][2] == pytest.approx(1.0)
    assert explanation.table[VIEW][4][RECEIVE][:2] == (2, 2)
    assert explanation.slowest.endswith("gm_service/routes/internal.py:20(create)")


def test_ledgers_alone_tell_sql_processor_and_the_rest() -> None:
    outer, inner = make_record("task", "1"), make_record("request", "2", "1", 4.0)
    outer["cpu_seconds"] = 1.0
    inner["cpu_seconds"] = 2.0
    inner["ledger"] = [
        {"shape": "SELECT ?", "line": "a.py:1", "count": 1, "total_seconds": 1.0, "worst_seconds": 1.0, "rows": 1}
    ]

    explanation = explain_records([outer, inner], [{}, {}])

    assert explanation.shares.seconds == pytest.approx({"our code": 3.0, "SQL": 1.0, "waiting": 6.0})
