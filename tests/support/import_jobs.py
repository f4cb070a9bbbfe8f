"""Imports of a running platform, as a station's program submits them and the database keeps them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from gm_async_task.tasks.models import runs, tasks
from gm_service.orders.imports.models import RowState, order_import, order_import_row
from shared.database import in_write, make_engine
from tests.support.cluster import Cluster, StationClient
from tests.support.export_jobs import start_export
from tests.support.waiting import wait_for

ENDS = (3, 4, 5)
BOTH_ENDED_RIGHT = {
    "import": {"status": 4, "created": 270, "failed": 30},
    "rows that became orders": [(index, 1) for index in range(300) if index % 10 != 9],
    "export": {"status": 3, "orders": 270},
    "file is whole": True,
}
"""what `import_and_export` returns where all is well"""


def order_rows(count: int, prefix: str, bad_every: int = 10) -> list[dict[str, Any]]:
    """Return orders of one line each; every `bad_every`-th lacks its SKU."""
    return [
        {
            "order_no": f"{prefix}{number}",
            "order_time": "2010-12-24 10:00:00",
            "buyer_code": "17850",
            "area": "United Kingdom",
            "sku": "" if number % bad_every == bad_every - 1 else "85123A",
            "sku_name": "WHITE HANGING HEART T-LIGHT HOLDER",
            "quantity": 6,
            "unit_price": "2.55",
        }
        for number in range(count)
    ]


def slow_rows(count: int, prefix: str) -> list[dict[str, Any]]:
    """Return orders of twenty lines each, so that an import of a thousand lasts long enough to meet its end midway."""
    header = ("order_no", "order_time", "buyer_code", "area")
    return [
        {**{name: row[name] for name in header}, "lines": [{k: v for k, v in row.items() if k not in header}] * 20}
        for row in order_rows(count, prefix)
    ]


def submit_import(station: StationClient, key: str, rows: list[Any]) -> int:
    """Submit orders as a station's program does; return the task's id."""
    body = {"task_id": key, "time_config_id": "whole-day", "file_name": f"{key}.xlsx", "order_data": rows}
    answer = station.post("/station/order/batch/submit", body).json()
    assert answer["code"] == 0, answer
    return int(answer["data"]["task_url"].rpartition("=")[2])


def ended_import(station: StationClient, task_id: int, seconds: float = 90) -> dict[str, Any]:
    """Return a task with everything about it when it has ended."""
    wait_for(lambda: station.data("/task/get", task_id=task_id)["status"] in ENDS, seconds, f"the end of {task_id}")
    detail: dict[str, Any] = station.data("/async_task/detail", task_id=task_id)
    return detail


def orders_of(platform: Cluster, task_id: int) -> list[tuple[int, int]]:
    """Return (row index, number of orders) for every order that the task created."""
    query = "SELECT row_index, count(*) FROM orders WHERE task_id = :task_id GROUP BY row_index ORDER BY row_index"
    return platform.databases.read_orders(query, task_id=task_id)


def import_and_export(platform: Cluster, key: str) -> dict[str, Any]:
    """Import 300 orders of which each tenth is bad, export the day that they are of, and return what became of both."""
    task_id = submit_import(platform.first, key, order_rows(300, f"{key}-"))
    imported = ended_import(platform.first, task_id)
    export_id = start_export(platform.first, start_date="2010-12-24", end_date="2010-12-24")
    exported = ended_import(platform.first, export_id)
    result = exported["result"]
    return {
        "import": {"status": imported["status"], **{name: imported["result"][name] for name in ("created", "failed")}},
        "rows that became orders": orders_of(platform, task_id),
        "export": {"status": exported["status"], "orders": result["orders"]},
        "file is whole": len(platform.first.get(result["link"]).content) == result["bytes"],
    }


def add_ended_tasks(platform: Cluster, count: int, name: str, **changes: Any) -> None:
    """Enter tasks that have ended straight into the database: thousands of real ones would take minutes."""
    facts = {"result": {"total": 2, "created": 2, "failed": 0, "not_attempted": 0}, "status": 3}
    rows = [{**_ended_task(f"{name}-{n}"), **facts, **changes} for n in range(count)]
    engine = make_engine(platform.databases.tasks_url)
    in_write(engine, lambda connection: connection.execute(insert(tasks), rows))
    engine.dispose()


def add_ended_import(platform: Cluster, count: int, name: str, bad_every: int = 100) -> int:
    """Enter an import of many rows that has ended straight into both databases; return its task's id."""
    failed = count // bad_every
    facts = {"result": {"total": count, "created": count - failed, "failed": failed, "not_attempted": 0}, "status": 4}
    engine = make_engine(platform.databases.tasks_url)
    row = {**_ended_task(name), **facts}
    task_id = in_write(engine, lambda connection: connection.execute(insert(tasks), row).inserted_primary_key[0])
    engine.dispose()
    engine = make_engine(platform.databases.orders_url)
    in_write(engine, lambda connection: _enter_rows(connection, int(task_id), order_rows(count, name, bad_every)))
    engine.dispose()
    return int(task_id)


def add_lost_runs(platform: Cluster, task_id: int, count: int) -> None:
    """Enter runs whose workers died straight into the database, and after them one that partly succeeded."""
    now = datetime.now(UTC).replace(tzinfo=None)
    moments = dict.fromkeys(("sent_time", "start_time", "end_time"), now)
    lost = {"task_id": task_id, "status": 1, "reason_code": "worker_lost", **moments}
    rows = [{**lost, "run_count": number} for number in range(1, count + 1)]
    last = {**lost, "run_count": count + 1, "status": 4, "reason_code": None}
    engine = make_engine(platform.databases.tasks_url)
    in_write(engine, lambda connection: connection.execute(insert(runs), [*rows, last]))
    engine.dispose()


def add_waiting_tasks(tasks_url: str, count: int, queue: str) -> None:
    """Enter tasks that wait in a queue straight into the database, where nobody rings for them."""
    row = {**_ended_task(""), "status": 1, "run_count": 0, "progress": None, "queue": queue}
    row |= dict.fromkeys(("user_task_id", "file_name", "start_time", "run_start", "end_time"))
    engine = make_engine(tasks_url)
    in_write(engine, lambda connection: connection.execute(insert(tasks), [row] * count))
    engine.dispose()


def _ended_task(name: str) -> dict[str, Any]:
    now = datetime.now(UTC).replace(tzinfo=None)
    return {
        "name": "gm_task.functions.orders.import_orders",
        "station_id": "S001",
        "input": "{}",
        "repeat": True,
        "message_show": True,
        **dict.fromkeys(("run_count", "dispatch_count"), 1),
        "lost_runs": 0,
        "stop_requested": False,
        **dict.fromkeys(("creat_time", "modify_time", "start_time", "run_start", "end_time"), now),
        "business_id": 2,
        "business_name": "Order import",
        "type": 0,
        "progress": 100,
        "run_seconds": 60.0,
        "user_task_id": name,
        "file_name": f"{name}.xlsx",
    }


def _enter_rows(connection: Connection, task_id: int, rows: list[dict[str, Any]]) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    counted = {"total": len(rows), "run_count": 1, "closed_run": 0, "version": 1}
    known = {
        "station_id": "S001",
        "task_id": task_id,
        "time_config_id": "whole-day",
        "file_name": "",
        "created_at": now,
    }
    made = connection.execute(insert(order_import).values(**known, **counted))
    import_id = made.inserted_primary_key[0]
    bad = {"code": "missing", "column_name": "sku", "value": "", "reason": "SKU is missing", "reason_zh": "缺少 SKU"}
    connection.execute(
        insert(order_import_row),
        [
            {
                "import_id": import_id,
                "row_index": index,
                "state": RowState.CREATED if row["sku"] else RowState.FAILED,
                "attempt": 1,
                "original": json.dumps(row),
                "version": 1,
                **(dict.fromkeys(bad) if row["sku"] else bad),
            }
            for index, row in enumerate(rows)
        ],
    )
