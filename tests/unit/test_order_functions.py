"""Imports and exports against an order service in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gm_task.config import TaskSettings
from gm_task.context import TaskContext, Tools
from gm_task.functions.orders import export_orders, import_orders
from gm_task.handling import Handlers
from gm_task.script import ScriptLimits, ScriptRunner
from shared.errors import InvalidField, StaleRun, Unavailable
from shared.files.store import open_file_store
from shared.task_api.client import TaskClient
from shared.task_api.fake import FakeTaskApi
from shared.task_api.held_run import RunPolicy
from shared.task_api.models import Task, TaskStatus
from shared.task_api.report import Verdict
from shared.task_api.run import Claim, RunContext, run_body
from shared.task_api.transport import Method


class OrderService:
    """Keeps the rows of one import; those with a place in `bad` fail."""

    def __init__(
        self,
        total: int = 0,
        bad: range = range(0),
        before: Callable[[OrderService], None] = lambda _: None,
        done: int = 0,
    ) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.done, self.total = done, total
        self._bad = bad
        self._before = before

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        verb = path.removeprefix("/no_login/station/order/batch/")
        assert method == "POST"
        self.calls.append((verb, parameters))
        self._before(self)
        if verb == "open":
            self.total = len(parameters["order_data"])
            return {"import_id": 5}
        if verb == "create":
            self.done = min(self.total, self.done + parameters["limit"])
            return self.counts()
        return self.outcome()

    def counts(self) -> dict[str, int]:
        failed = len(range(self._bad.start, min(self._bad.stop, self.done)))
        created = self.done - failed
        return {"total": self.total, "created": created, "failed": failed, "not_attempted": self.total - self.done}

    def outcome(self) -> dict[str, Any]:
        status = 3 if self.counts()["created"] == self.total else 4
        result = {**self.counts(), "rows": [{"index": index} for index in range(self.total)]}
        reason = None if status == 3 else "some failed"
        return {"status": status, "result": result, "reason": reason, "reason_code": reason and "rows_failed"}

    def asked(self, verb: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.calls if name == verb]


GIVEN = {"import": "orders", "import_id": 5}


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
    tools = Tools(chosen, service, scripts, open_file_store(chosen), Handlers([]))
    task_id = client.create("s1", "shop.work", given).task_id

    def body(context: RunContext) -> Any:
        return function(TaskContext(context, tools))

    policy = RunPolicy(progress_seconds=0, word_seconds=0, language=chosen.language)
    return run_body(client, Claim(task_id), body, policy=policy), client.get(task_id)


def test_an_import_asks_for_more_rows_until_none_waits(tmp_path: Path) -> None:
    service = OrderService(400)

    _, task = run(import_orders, GIVEN, service, tmp_path)

    asked = service.asked("create")
    assert [body["limit"] for body in asked] == [50, 100, 200, 400]
    assert {(body["import_id"], body["task_id"], body["run_count"], body["station_id"]) for body in asked} == {
        (5, 1, 1, "s1")
    }
    assert (task.status, task.result["created"], task.progress) == (TaskStatus.FINISHED, 400, 100)
    assert len(task.result["rows"]) == 400


def test_an_import_ends_as_its_rows_say(tmp_path: Path) -> None:
    _, task = run(import_orders, GIVEN, OrderService(300, range(100, 117)), tmp_path)

    assert (task.status, task.reason, task.reason_code) == (4, "some failed", "rows_failed")
    assert (task.result["created"], task.result["failed"]) == (283, 17)


def test_a_run_after_a_lost_one_goes_on_where_that_was(tmp_path: Path) -> None:
    service = OrderService(100, done=90)

    _, task = run(import_orders, GIVEN, service, tmp_path)

    assert (len(service.asked("create")), task.result["created"]) == (1, 100)


def test_counts_are_shown_while_the_import_runs(tmp_path: Path) -> None:
    api = FakeTaskApi()
    seen: list[Any] = []
    service = OrderService(500, before=lambda _: seen.append(TaskClient(api).get(1).result))

    run(import_orders, GIVEN, service, tmp_path, api)

    assert seen[:2] == [None, {"total": 500, "created": 50, "failed": 0, "not_attempted": 450}]


def test_rows_in_the_input_itself_are_handed_over_first(tmp_path: Path) -> None:
    service = OrderService()
    given = {"time_config_id": "t1", "file_name": "orders.xlsx", "order_data": [{"sku": "x"}] * 3}

    _, task = run(import_orders, given, service, tmp_path)

    assert [verb for verb, _ in service.calls] == ["open", "create", "outcome"]
    assert service.calls[0][1] == {**given, "task_id": 1, "station_id": "s1"}
    assert (task.status, task.result["created"]) == (TaskStatus.FINISHED, 3)


def test_an_import_waits_for_an_absent_service(tmp_path: Path) -> None:
    def away_twice(service: OrderService) -> None:
        if len(service.calls) in (1, 2):
            raise Unavailable(what="order service")

    _, task = run(import_orders, GIVEN, OrderService(60, before=away_twice), tmp_path)

    assert (task.status, task.result["created"]) == (TaskStatus.FINISHED, 60)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable(what="order service"), "service_unavailable"),
        (InvalidField(field="rows", problem="bad"), "service_refused"),
    ],
)
def test_an_import_that_can_not_go_on_keeps_what_was_shown(tmp_path: Path, error: Exception, code: str) -> None:
    def away_for_good(service: OrderService) -> None:
        if len(service.calls) > 1:
            raise error

    _, task = run(import_orders, GIVEN, OrderService(150, before=away_for_good), tmp_path, report_seconds=0.1)

    assert (task.status, task.reason, task.reason_code) == (TaskStatus.FAILED, str(error), code)
    assert (task.result["created"], task.result["not_attempted"]) == (50, 100)


def test_closing_an_import_stops_it_between_calls_and_keeps_what_is_done(tmp_path: Path) -> None:
    api = FakeTaskApi()
    service = OrderService(250, before=lambda _: TaskClient(api).close(1))

    _, task = run(import_orders, GIVEN, service, tmp_path, api)

    assert (task.status, task.reason_code) == (TaskStatus.FAILED, "closed")
    assert (task.result["created"], task.result["not_attempted"]) == (50, 200)


def test_an_import_closed_after_its_last_row_is_whole(tmp_path: Path) -> None:
    api = FakeTaskApi()

    def close_late(service: OrderService) -> None:
        if service.calls[-1][0] == "outcome":
            TaskClient(api).close(1)

    _, task = run(import_orders, GIVEN, OrderService(20, before=close_late), tmp_path, api)

    assert (task.status, task.result["created"]) == (TaskStatus.FINISHED, 20)


def test_a_stale_import_ends_without_a_word(tmp_path: Path) -> None:
    def stale(_: OrderService) -> None:
        raise StaleRun(run_count=1)

    verdict, task = run(import_orders, GIVEN, OrderService(10, before=stale), tmp_path)

    assert (verdict, task.status) == (Verdict.LOST, TaskStatus.RUNNING)


def test_slow_calls_ask_for_fewer_rows(tmp_path: Path) -> None:
    def slow(service: OrderService) -> None:
        time.sleep(0.6 if len(service.calls) == 2 else 0)

    service = OrderService(200, before=slow)

    run(import_orders, GIVEN, service, tmp_path)

    assert [body["limit"] for body in service.asked("create")] == [50, 100, 50]


@pytest.mark.parametrize("given", ["text", {}, {"order_data": "x", "time_config_id": "t"}, {"import_id": "5"}])
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
