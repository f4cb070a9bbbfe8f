"""The clerk's two jobs on real processes and real orders, and what becomes of them when something dies."""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from python_calamine import CalamineWorkbook

from gm_service.demo.load import demo_batch
from shared.errors import StorageFull
from shared.task_api.models import TaskStatus
from tests.support.cluster import Cluster
from tests.support.import_jobs import ended_import, order_rows, orders_of, slow_rows, submit_import
from tests.support.waiting import wait_for

DECEMBER = {"query_type": 1, "start_date": "2010-12-01", "end_date": "2010-12-23"}
ORDERS_OF_FIRST, LINES_OF_FIRST = 1936, 41_074
STOP_SECONDS = 6.0
"""what a running import may take to stop where other tests use the processor too; alone, it takes 1.7 s"""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One platform with the demo orders; tests that break it mend it."""
    with Cluster(tmp_path_factory.mktemp("platform"), demo_orders=True) as cluster:
        yield cluster


def _sheet(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def test_big_export_is_made_in_the_background(platform: Cluster) -> None:
    answer = platform.first.data("/station/sales_analysis/orderdetail", **DECEMBER)
    assert answer["async"] == 1

    ended = ended_import(platform.first, int(answer["task_url"].rpartition("=")[2]))

    result = ended["result"]
    assert (ended["status"], result["orders"], result["rows"]) == (3, ORDERS_OF_FIRST, LINES_OF_FIRST)
    file = platform.first.get(result["link"])
    assert len(file.content) == result["bytes"]
    assert len(_sheet(file.content)) == LINES_OF_FIRST + 2, "header and totals"


@contextmanager
def _small_files_only(platform: Cluster, max_bytes: int) -> Iterator[None]:
    """Let the worker's children, and the scripts they start, write no file bigger than that: a disk that is full."""
    children = platform.worker_children()
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in children}
    for pid, (_soft, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (max_bytes, hard))
    try:
        yield
    finally:
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


def test_export_on_a_full_disk_fails_with_its_reason_and_leaves_nothing(platform: Cluster) -> None:
    def left() -> set[str]:
        return {path.name for path in (platform.folder / "files" / "export").glob("**/*")}

    before = left()

    with _small_files_only(platform, 1024 * 1024):
        answer = platform.first.data("/station/sales_analysis/orderdetail", **DECEMBER)
        ended = ended_import(platform.first, int(answer["task_url"].rpartition("=")[2]))

    assert (ended["status"], ended["reason"]) == (TaskStatus.FAILED, StorageFull().sentence("en"))
    assert left() == before
    with sqlite3.connect(platform.folder / "orders.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_small_export_is_made_at_once_and_is_the_same_file(platform: Cluster) -> None:
    query = {**DECEMBER, "end_date": "2010-12-05", "search_text": "17850"}
    at_once = platform.first.data("/station/sales_analysis/orderdetail", **{**query, "end_date": "2010-12-01"})
    assert at_once["async"] == 0

    asked = requests.get(
        platform.first.url + "/station/sales_analysis/orderdetail",
        params={**query, "end_date": "2010-12-01"},
        headers={"Authorization": f"Bearer {platform.first.token}", "Prefer": "respond-async"},
        timeout=30,
    ).json()["data"]
    ended = ended_import(platform.first, asked["task_id"])

    assert platform.first.get(at_once["link"]).content == platform.first.get(ended["result"]["link"]).content


def test_import_with_bad_rows_ends_partly_succeeded(platform: Cluster) -> None:
    rows = demo_batch(300, prefix="e2e-")

    task_id = submit_import(platform.first, "import-1", rows)
    ended = ended_import(platform.first, task_id)

    result = ended["result"]
    failed = [row for row in result["rows"] if row["state"] == "failed"]
    assert (ended["status"], result["created"] + len(failed)) == (4, 300)
    assert all(row["reason"] and row["reason_zh"] and row["column"] for row in failed)
    created = [row["index"] for row in result["rows"] if row["state"] == "created"]
    assert orders_of(platform, task_id) == [(index, 1) for index in created]


def test_same_submission_again_is_the_same_task(platform: Cluster) -> None:
    rows = order_rows(20, "same-")

    first, second = submit_import(platform.first, "same", rows), submit_import(platform.first, "same", rows)

    assert first == second
    ended_import(platform.first, first)
    assert len(orders_of(platform, first)) == 18


def test_stations_never_see_each_other(platform: Cluster) -> None:
    task_id = submit_import(platform.first, "mine", order_rows(3, "mine-"))
    ended_import(platform.first, task_id)

    answers = [
        platform.second.get("/task/get", task_id=task_id),
        platform.second.get("/async_task/detail", user_task_id="mine"),
        platform.second.post("/async_task/close", {"task_id": task_id}),
        platform.second.get(f"/station/download/async/{task_id}"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert task_id not in [task["task_id"] for task in platform.second.data("/task/list", limit=100)["tasks"]]


@pytest.mark.parametrize("point", range(5))
def test_killed_worker_in_the_middle_of_an_import_loses_nothing(platform: Cluster, point: int) -> None:
    """R10 at five points: the whole worker is killed when so many chunks are done."""
    rows = slow_rows(1000, f"kill{point}-")
    task_id = submit_import(platform.first, f"kill-{point}", rows)
    wait_for(lambda: len(orders_of(platform, task_id)) >= 1 + point * 150, 30, "some orders")

    platform.processes["gm_task"].kill()
    at_kill = len(orders_of(platform, task_id))
    platform.start("gm_task")
    ended = ended_import(platform.first, task_id)

    assert at_kill < 900, "it was killed in the middle"
    assert (ended["status"], ended["result"]["created"], ended["result"]["failed"]) == (4, 900, 100)
    assert [row["index"] for row in ended["result"]["rows"]] == list(range(1000))
    expected = [(index, 1) for index in range(1000) if index % 10 != 9]
    assert orders_of(platform, task_id) == expected
    assert platform.tasks.get(task_id).run_count >= 2


def test_killed_child_in_the_middle_of_an_import_goes_on_at_once(platform: Cluster) -> None:
    task_id = submit_import(platform.first, "child", slow_rows(1000, "child-"))
    wait_for(lambda: len(orders_of(platform, task_id)) > 100, 30, "some orders")

    for pid in platform.worker_children():
        os.kill(pid, signal.SIGKILL)
    ended = ended_import(platform.first, task_id)

    assert (ended["status"], len(orders_of(platform, task_id))) == (4, 900)


def test_task_service_away_is_503_and_a_finished_run_is_still_reported(platform: Cluster) -> None:
    task_id = platform.submit("wait_for_file", {"path": str(platform.folder / "go")})
    wait_for(lambda: platform.tasks.get(task_id).status == TaskStatus.RUNNING, 20, "the run")
    platform.processes["gm_async_task"].kill()

    refused = platform.first.get("/task/get", task_id=task_id)
    (platform.folder / "go").touch()
    wait_for(lambda: '"call": "finish"' in platform.logs(), 20, "a report that failed")
    platform.start("gm_async_task")
    platform.wait_ready()

    assert (refused.status_code, refused.json()["code"]) == (503, 50300)
    assert int(refused.headers["Retry-After"]) >= 1
    ended = platform.ended(task_id)
    assert (ended.status, ended.run_count, ended.result) == (TaskStatus.FINISHED, 1, {"went": True})


def test_broker_away_adding_works_and_work_starts_when_it_is_back(platform: Cluster) -> None:
    away = sqlite3.connect(platform.folder / "doorbell.db", isolation_level=None)
    away.execute("BEGIN EXCLUSIVE")  # nobody can ring, no ring can be taken

    began = time.monotonic()
    task_id = submit_import(platform.first, "no-broker", order_rows(10, "nb-"))
    seconds = time.monotonic() - began
    before = platform.tasks.get(task_id).status
    away.execute("ROLLBACK")
    away.close()

    assert before == TaskStatus.SUBMITTED
    assert seconds < 5, "the request does not wait for the broker"
    assert ended_import(platform.first, task_id, 20)["status"] == 4


def test_closed_import_stops_soon_keeps_what_is_done_and_the_rest_runs_later(platform: Cluster) -> None:
    task_id = submit_import(platform.first, "close", order_rows(20_000, "close-"))
    wait_for(lambda: len(orders_of(platform, task_id)) > 100, 30, "some orders")

    platform.first.post("/async_task/close", {"task_id": task_id})
    ended = ended_import(platform.first, task_id, STOP_SECONDS)

    result = ended["result"]
    assert (ended["status"], ended["result"]["total"]) == (5, 20_000)
    assert result["created"] == len(orders_of(platform, task_id)) < 18_000
    assert result["created"] + result["failed"] + result["not_attempted"] == 20_000

    waiting = [row["index"] for row in result["rows"] if row["state"] == "waiting"]
    some = {"task_id": "close", "rows": [{"index": index} for index in waiting[:1000]]}
    amended = platform.first.post("/station/order/batch/amend", some).json()["data"]

    assert (amended["status"], amended["created"]) == (4, result["created"] + 900)
    assert len(orders_of(platform, task_id)) == amended["created"]


def test_stopped_worker_hands_its_import_to_the_next(platform: Cluster) -> None:
    task_id = submit_import(platform.first, "deploy", slow_rows(3000, "deploy-"))
    wait_for(lambda: len(orders_of(platform, task_id)) > 100, 30, "some orders")

    platform.processes["gm_task"].stop(30)
    handed_back = platform.tasks.get(task_id)
    platform.start("gm_task")

    assert handed_back.status == TaskStatus.SUBMITTED
    assert (ended_import(platform.first, task_id)["status"], len(orders_of(platform, task_id))) == (4, 2700)


def test_unknown_function_is_refused_and_its_taskended_import(platform: Cluster) -> None:
    task_id = platform.submit("no_such_function")

    ended = platform.ended(task_id, 20)

    assert (ended.status, ended.run_count) == (TaskStatus.FAILED, 0)
    assert "no_such_function" in str(ended.reason)


def test_request_id_travels_from_browser_to_worker_and_back(platform: Cluster) -> None:
    rows = {
        "task_id": "traced",
        "time_config_id": "whole-day",
        "file_name": "t",
        "order_data": order_rows(2, "traced-"),
    }
    headers = {"Authorization": f"Bearer {platform.first.token}", "X-Request-Id": "trace-4711"}
    url = platform.first.url + "/station/order/batch/submit"

    answer = requests.post(url, json=rows, headers=headers, timeout=30)
    task_id = int(answer.json()["data"]["task_url"].rpartition("=")[2])
    ended_import(platform.first, task_id)

    lines = [json.loads(line) for line in platform.logs().splitlines() if "trace-4711" in line]
    events = {(line["service"], line["event"]) for line in lines}
    assert answer.headers["X-Request-Id"] == "trace-4711"
    assert {("gm_async_task", "task_added"), ("gm_task", "run_started"), ("gm_task", "run_finished")} <= events
    paths = {line.get("path") for line in lines if line["service"] == "gm_service"}
    assert "/no_login/station/order/batch/create" in paths, "the worker's call back carries it too"


def test_no_log_holds_a_secret(platform: Cluster) -> None:
    requests.get(platform.first.url + "/task/list", headers={"Authorization": "Bearer wrong"}, timeout=10)

    logs = platform.logs()

    assert [name for name, secret in platform.secrets.items() if secret in logs] == []
    assert "request_failed" not in logs, "no fault of ours on the way"
