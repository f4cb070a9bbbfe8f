"""Imports in chunks against an order service in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gm_task.config import TaskSettings
from gm_task.context import TaskContext, Tools
from gm_task.functions.orders import export_orders, import_orders
from gm_task.script import ScriptLimits, ScriptRunner
from shared.errors import InvalidField, StaleRun, Unavailable
from shared.task_api.client import TaskClient
from shared.task_api.fake import FakeTaskApi
from shared.task_api.held_run import RunPolicy
from shared.task_api.models import Task, TaskStatus
from shared.task_api.report import Verdict
from shared.task_api.run import Claim, RunContext, run_body
from shared.task_api.transport import Method


class OrderService:
    """Creates each order without an `sku` of None; answers in any order, as the wire allows."""

    def __init__(self, before: Callable[[OrderService], None] = lambda _: None) -> None:
        self.bodies: list[dict[str, Any]] = []
        self._before = before

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        assert (method, path) == ("POST", "/no_login/station/order/batch/create")
        self.bodies.append(parameters)
        self._before(self)
        return {"rows": [self._row(row) for row in reversed(parameters["rows"])]}

    @staticmethod
    def _row(row: dict[str, Any]) -> dict[str, Any]:
        failed = row["order"]["sku"] is None
        return {"index": row["index"], "state": "failed" if failed else "created"}


def settings(folder: Path, **options: Any) -> TaskSettings:
    return TaskSettings(
        auth_key=SecretStr("k" * 32),
        broker_url=SecretStr("doorbell:////nowhere"),
        files_dir=folder,
        async_task_url="http://127.0.0.1:1",
        service_url="http://127.0.0.1:1",
        **options,
    )


def run(
    function: Any, given: Any, service: Any, folder: Path, api: FakeTaskApi | None = None, **options: Any
) -> tuple[Verdict, Task]:
    api = api or FakeTaskApi()
    client = TaskClient(api)
    chosen = settings(folder, **options)
    scripts = ScriptRunner(ScriptLimits(5, 512, 0.2), chosen.language, {})
    tools = Tools(chosen, service, scripts)
    task_id = client.create("s1", "shop.work", given).task_id

    def body(context: RunContext) -> Any:
        return function(TaskContext(context, tools))

    policy = RunPolicy(progress_seconds=0, word_seconds=0, language=chosen.language)
    return run_body(client, Claim(task_id), body, policy=policy), client.get(task_id)


def batch(rows: int, bad: range = range(0)) -> dict[str, Any]:
    orders = [{"sku": None if index in bad else f"sku-{index}"} for index in range(rows)]
    return {"time_config_id": "t1", "file_name": "orders.xlsx", "order_data": orders}


def test_an_import_goes_in_chunks_with_the_runs_token(tmp_path: Path) -> None:
    service = OrderService()

    _, task = run(import_orders, batch(250), service, tmp_path)

    assert [len(body["rows"]) for body in service.bodies] == [100, 100, 50]
    first = service.bodies[0]
    assert (first["task_id"], first["run_count"], first["station_id"], first["total"]) == (1, 1, "s1", 250)
    assert (task.status, task.result["created"], task.progress) == (TaskStatus.FINISHED, 250, 100)
    assert [row["index"] for row in task.result["rows"]] == list(range(250))


@pytest.mark.parametrize(
    ("language", "reason"), [("en", "17 of 3,000 rows failed."), ("zh", "共 3,000 行，17 行失败。")]
)
def test_some_failed_rows_make_it_partly_succeeded(tmp_path: Path, language: str, reason: str) -> None:
    _, task = run(import_orders, batch(3000, range(100, 117)), OrderService(), tmp_path, language=language)

    assert (task.status, task.reason) == (TaskStatus.PARTLY_SUCCEEDED, reason)
    assert (task.result["created"], task.result["failed"]) == (2983, 17)


def test_all_failed_rows_make_it_failed(tmp_path: Path) -> None:
    _, task = run(import_orders, batch(3, range(3)), OrderService(), tmp_path)

    assert (task.status, task.reason) == (TaskStatus.FAILED, "3 of 3 rows failed.")


def test_an_import_waits_for_an_absent_service(tmp_path: Path) -> None:
    def away_twice(service: OrderService) -> None:
        if len(service.bodies) in (1, 2):
            raise Unavailable(what="order service")

    _, task = run(import_orders, batch(150), OrderService(away_twice), tmp_path)

    assert (task.status, task.result["created"]) == (TaskStatus.FINISHED, 150)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable(what="order service"), "service_unavailable"),
        (InvalidField(field="rows", problem="bad"), "service_refused"),
    ],
)
def test_an_import_that_can_not_go_on_keeps_what_is_done(tmp_path: Path, error: Exception, code: str) -> None:
    def away_for_good(service: OrderService) -> None:
        if len(service.bodies) > 1:
            raise error

    _, task = run(import_orders, batch(150), OrderService(away_for_good), tmp_path, report_seconds=0.1)

    assert (task.status, task.reason, task.reason_code) == (TaskStatus.FAILED, str(error), code)
    assert (task.result["created"], task.result["not_attempted"]) == (100, 50)
    assert task.result["rows"][100] == {"index": 100, "state": "waiting"}


def test_closing_an_import_stops_it_between_chunks_and_keeps_what_is_done(tmp_path: Path) -> None:
    api = FakeTaskApi()
    service = OrderService(lambda _: TaskClient(api).close(1))

    _, task = run(import_orders, batch(250), service, tmp_path, api)

    assert (task.status, task.reason_code) == (TaskStatus.FAILED, "closed")
    assert (task.result["created"], task.result["not_attempted"]) == (100, 150)


def test_a_stale_import_ends_without_a_word(tmp_path: Path) -> None:
    def stale(_: OrderService) -> None:
        raise StaleRun(run_count=1)

    verdict, task = run(import_orders, batch(10), OrderService(stale), tmp_path)

    assert (verdict, task.status) == (Verdict.LOST, TaskStatus.RUNNING)


def test_an_answer_about_other_rows_is_not_believed(tmp_path: Path) -> None:
    class Confused(OrderService):
        def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
            return {"rows": [{"index": 5, "state": "created"}]}

    _, task = run(import_orders, batch(1), Confused(), tmp_path)

    assert (task.status, task.result["not_attempted"]) == (TaskStatus.FAILED, 1)


@pytest.mark.parametrize("given", ["text", {}, {"order_data": "x", "time_config_id": "t"}])
def test_an_input_that_is_no_batch_fails(tmp_path: Path, given: Any) -> None:
    _, task = run(import_orders, given, OrderService(), tmp_path)

    assert (task.status, task.reason_code) == (TaskStatus.FAILED, "bad_input")


def test_an_export_runs_the_script_that_it_names(tmp_path: Path) -> None:
    source = "import json, sys; print(json.dumps({'result': [json.load(sys.stdin)['export'], sys.argv[-1]]}))"
    scripts = {"daily": ["{python}", "-c", source]}

    _, task = run(export_orders, {"export": "daily"}, OrderService(), tmp_path, export_scripts=scripts)

    assert (task.status, task.result) == (TaskStatus.FINISHED, ["daily", str(tmp_path / "export")])


@pytest.mark.parametrize("given", [{"export": "other"}, {"export": "../x"}, {}, "text"])
def test_an_export_that_is_not_configured_fails(tmp_path: Path, given: Any) -> None:
    _, task = run(export_orders, given, OrderService(), tmp_path)

    assert (task.status, task.reason_code) == (TaskStatus.FAILED, "unknown_export")
