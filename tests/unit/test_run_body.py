"""How a run goes between start and finish, on the fake task API."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import RuleRefused, StaleRun, Unavailable
from shared.task_api.client import TaskClient
from shared.task_api.fake import FakeTaskApi
from shared.task_api.held_run import RunPolicy
from shared.task_api.models import Outcome, Task, TaskStatus
from shared.task_api.report import Verdict
from shared.task_api.run import Claim, RunContext, RunFailed, run_body
from shared.task_api.transport import Method
from tests.support.waiting import wait_for

QUICK = RunPolicy(
    start_seconds=2,
    report_seconds=5,
    report_delay_seconds=0.05,
    stop_grace_seconds=0.6,
    return_grace_seconds=0.3,
    progress_seconds=0.0,
    word_seconds=0.0,
)


LEFT = 70
"""the exit code of a process that a run ends"""


class Flaky:
    """Lets calls through to the fake after failing the first `failures` calls of a path, before or after acting."""

    def __init__(self, api: FakeTaskApi, path: str = "", failures: int = 0, answer_lost: bool = False) -> None:
        self.api = api
        self.path = path
        self.failures = failures
        self.answer_lost = answer_lost
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        self.calls.append((path, parameters))
        if path != self.path or self.failures <= 0:
            return self.api.call(method, path, parameters)
        self.failures -= 1
        if self.answer_lost:
            self.api.call(method, path, parameters)
        raise Unavailable(what="task service")

    def paths(self) -> list[str]:
        return [path for path, _ in self.calls]


def add(api: FakeTaskApi, **options: Any) -> int:
    return TaskClient(api).create("s1", "shop.work", options.pop("input", {"n": 1}), **options).task_id


def run(api: Any, task_id: int, body: Callable[[RunContext], Any], **options: Any) -> Verdict:
    options.setdefault("policy", QUICK)
    options.setdefault("on_lost", lambda: None)
    return run_body(TaskClient(api), Claim(task_id, "shop.work"), body, **options)


def get(api: FakeTaskApi, task_id: int) -> Task:
    return TaskClient(api).get(task_id)


def test_a_returned_value_finishes_the_task() -> None:
    api = FakeTaskApi()
    task_id = add(api)

    verdict = run(api, task_id, lambda context: {"doubled": context.input["n"] * 2})

    task = get(api, task_id)
    assert verdict is Verdict.REPORTED
    assert (task.status, task.result, task.run_count) == (TaskStatus.FINISHED, {"doubled": 2}, 1)


def test_an_outcome_decides_the_end() -> None:
    api = FakeTaskApi()
    task_id = add(api)

    run(api, task_id, lambda _: Outcome(TaskStatus.PARTLY_SUCCEEDED, [1], "1 of 2 rows failed.", "rows_failed"))

    task = get(api, task_id)
    assert (task.status, task.result, task.reason) == (TaskStatus.PARTLY_SUCCEEDED, [1], "1 of 2 rows failed.")
    assert task.reason_code == "rows_failed"


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (ValueError("no such sheet"), "The function failed: ValueError: no such sheet", "function_failed"),
        (KeyError(), "The function failed: KeyError", "function_failed"),
        (SystemExit(3), "The function failed: SystemExit: 3", "function_failed"),
        (RuleRefused(problem="The cycle is over.", problem_zh="周期已结束。"), "The cycle is over.", "function_failed"),
        (RunFailed("The disk is full.", "disk_full"), "The disk is full.", "disk_full"),
        (ValueError("\x00 and \ud800"), "The function failed: ValueError: � and �", "function_failed"),
    ],
)
def test_whatever_a_body_raises_ends_the_task_with_its_reason(error: BaseException, reason: str, code: str) -> None:
    api = FakeTaskApi()
    task_id = add(api)

    def body(_: RunContext) -> None:
        raise error

    run(api, task_id, body)

    task = get(api, task_id)
    assert (task.status, task.reason, task.reason_code) == (TaskStatus.FAILED, reason, code)


def test_sys_exit_in_a_body_ends_the_task() -> None:
    api = FakeTaskApi()
    task_id = add(api)

    run(api, task_id, lambda _: sys.exit("enough"))

    assert get(api, task_id).reason == "The function failed: SystemExit: enough"


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # that it has threads is as in a worker
def test_a_process_that_a_body_forked_ends_where_it_leaves_the_body() -> None:
    api, here = FakeTaskApi(), os.getpid()
    task_id = add(api)

    def body(_: RunContext) -> int:
        child = os.fork()
        if not child:
            return 0  # as a handler that forgot that it is the child
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    run(api, task_id, body)
    if os.getpid() != here:
        os._exit(1)

    assert get(api, task_id).result == LEFT


def test_a_long_message_is_cut_to_what_the_contract_takes() -> None:
    api = FakeTaskApi()
    task_id = add(api)

    def body(_: RunContext) -> None:
        raise ValueError("x" * 5000)

    run(api, task_id, body)

    reason = get(api, task_id).reason
    assert reason is not None
    assert len(reason) == 1000


def test_a_result_that_is_not_json_fails_the_task() -> None:
    api = FakeTaskApi()
    task_id = add(api)

    run(api, task_id, lambda _: {"moment": object()})

    assert (get(api, task_id).status, get(api, task_id).reason_code) == (TaskStatus.FAILED, "result_refused")


def test_reasons_are_in_the_configured_language() -> None:
    api = FakeTaskApi()
    task_id = add(api)

    def body(_: RunContext) -> None:
        raise ValueError("坏了")

    run(api, task_id, body, policy=RunPolicy(language="zh"))

    assert get(api, task_id).reason == "任务函数执行失败：ValueError: 坏了"


def test_a_refused_start_is_dropped_quietly() -> None:
    api = FakeTaskApi()
    task_id = add(api)
    TaskClient(api).start(task_id)

    verdict = run(api, task_id, lambda _: pytest.fail("it ran twice"))

    assert verdict is Verdict.DROPPED


def test_an_unknown_task_is_dropped_quietly() -> None:
    assert run(FakeTaskApi(), 7, lambda _: pytest.fail("it ran")) is Verdict.DROPPED


def test_a_repeated_doorbell_starts_nothing() -> None:
    api = FakeTaskApi()
    task_id = add(api, repeat=True)
    claim = Claim(task_id, "shop.work", expect_run_count=0)
    run_body(TaskClient(api), claim, lambda _: 1, policy=QUICK)

    again = Claim(task_id, "shop.work", expect_run_count=0)
    verdict = run_body(TaskClient(api), again, lambda _: pytest.fail("it ran twice"), policy=QUICK)

    assert verdict is Verdict.DROPPED


def test_a_start_whose_answer_was_lost_is_repeated_with_the_same_claim() -> None:
    api = Flaky(FakeTaskApi(), "/task/start", failures=2, answer_lost=True)
    task_id = add(api.api)

    verdict = run(api, task_id, lambda _: "done")

    assert verdict is Verdict.REPORTED
    assert get(api.api, task_id).run_count == 1


@pytest.mark.parametrize("answer_lost", [True, False])
def test_a_finish_is_reported_patiently_without_running_again(answer_lost: bool) -> None:
    api = Flaky(FakeTaskApi(), "/task/finish", failures=3, answer_lost=answer_lost)
    task_id = add(api.api)
    runs: list[int] = []

    verdict = run(api, task_id, lambda _: runs.append(1))

    assert verdict is Verdict.REPORTED
    assert len(runs) == 1
    assert get(api.api, task_id).status == TaskStatus.FINISHED


def test_reporting_ends_when_patience_does() -> None:
    api = Flaky(FakeTaskApi(), "/task/finish", failures=1_000_000)
    task_id = add(api.api)
    policy = RunPolicy(report_seconds=0.3, report_delay_seconds=0.05)

    verdict = run(api, task_id, lambda _: 1, policy=policy)

    assert verdict is Verdict.UNREPORTED


def test_a_stale_finish_is_dropped() -> None:
    api = FakeTaskApi()
    task_id = add(api)

    verdict = run(api, task_id, lambda context: TaskClient(api).release(task_id, run_count=1, lost=True))

    assert verdict is Verdict.LOST
    assert get(api, task_id).reason_code == "worker_lost"


def test_progress_is_sent_in_percent_and_never_backwards() -> None:
    api = Flaky(FakeTaskApi())
    task_id = add(api.api)

    def body(context: RunContext) -> None:
        for done in (1, 50, 20, 50, 120):
            context.progress(done, 100)

    run(api, task_id, body)

    sent = [given["value"] for path, given in api.calls if path == "/task/update"]
    assert sent == [1, 50, 100]


def test_progress_is_sent_at_most_once_in_its_interval() -> None:
    api = Flaky(FakeTaskApi())
    task_id = add(api.api)

    def body(context: RunContext) -> None:
        for done in range(1, 100):
            context.progress(done, 100)

    run(api, task_id, body, policy=RunPolicy(progress_seconds=60))

    assert api.paths().count("/task/update") == 0


def test_progress_outlives_an_absent_server() -> None:
    api = Flaky(FakeTaskApi(), "/task/update", failures=1)
    task_id = add(api.api)

    def body(context: RunContext) -> None:
        context.progress(1, 2)
        wait_for(lambda: get(api.api, task_id).progress == 50)

    verdict = run(api, task_id, body)

    assert verdict is Verdict.REPORTED


def test_the_lease_is_kept_while_the_body_is_silent() -> None:
    api = Flaky(FakeTaskApi(lease_seconds=0.4))
    task_id = add(api.api)

    run(api, task_id, lambda _: wait_for(lambda: api.paths().count("/task/heartbeat") >= 3))

    assert get(api.api, task_id).status == TaskStatus.FINISHED


def test_a_closed_run_ends_as_closed_and_keeps_its_result() -> None:
    api = FakeTaskApi()
    task_id = add(api)

    def body(context: RunContext) -> dict[str, int]:
        TaskClient(api).close(task_id)
        wait_for(context.cancelled)
        return {"done": 3}

    verdict = run(api, task_id, body)

    task = get(api, task_id)
    assert verdict is Verdict.REPORTED
    assert (task.status, task.reason_code, task.result) == (TaskStatus.FAILED, "closed", {"done": 3})
    assert task.reason == "Closed while it was running."


def test_a_closed_run_may_bring_its_own_outcome() -> None:
    api = FakeTaskApi()
    task_id = add(api)

    def body(context: RunContext) -> Outcome:
        TaskClient(api).close(task_id)
        wait_for(context.cancelled)
        return Outcome(result="whole")

    run(api, task_id, body)

    assert (get(api, task_id).status, get(api, task_id).result) == (TaskStatus.FINISHED, "whole")


def test_check_leaves_the_body_of_a_closed_run() -> None:
    api = FakeTaskApi()
    task_id = add(api)

    def body(context: RunContext) -> None:
        TaskClient(api).close(task_id)
        context.check()
        pytest.fail("the body went on")

    run(api, task_id, body)

    assert get(api, task_id).reason_code == "closed"


def test_a_body_that_ignores_being_closed_is_ended_after_its_grace() -> None:
    api = FakeTaskApi(lease_seconds=0.4)
    task_id = add(api)
    lost = threading.Event()

    def body(_: RunContext) -> None:
        TaskClient(api).close(task_id)
        assert lost.wait(5)

    run(api, task_id, body, on_lost=lost.set)

    assert (get(api, task_id).status, get(api, task_id).reason_code) == (TaskStatus.FAILED, "closed")


def test_a_fenced_run_reports_nothing_and_is_ended() -> None:
    api = FakeTaskApi(lease_seconds=0.4)
    task_id = add(api, repeat=True, queue="q")
    lost = threading.Event()

    def body(_: RunContext) -> str:
        TaskClient(api).release(task_id, run_count=1, lost=True)
        assert lost.wait(5)
        return "a zombie's result"

    verdict = run(api, task_id, body, on_lost=lost.set)

    task = get(api, task_id)
    assert verdict is Verdict.LOST
    assert (task.status, task.result) == (TaskStatus.SUBMITTED, None)


def test_a_stale_run_raised_by_the_body_reports_nothing() -> None:
    api = Flaky(FakeTaskApi())
    task_id = add(api.api)

    def body(context: RunContext) -> None:
        raise StaleRun(run_count=context.run_count)

    verdict = run(api, task_id, body)

    assert verdict is Verdict.LOST
    assert "/task/finish" not in api.paths()


def test_a_run_that_takes_too_long_ends_as_timeout_though_it_is_heard_of() -> None:
    api = FakeTaskApi(lease_seconds=0.4, run_seconds=0.3)
    task_id = add(api)
    lost = threading.Event()

    run(api, task_id, lambda _: lost.wait(5), on_lost=lost.set)

    assert (get(api, task_id).status, get(api, task_id).reason_code) == (TaskStatus.FAILED, "run_timeout")


def test_a_stopping_worker_hands_a_repeatable_run_back() -> None:
    api = FakeTaskApi()
    task_id = add(api, repeat=True, queue="q")

    stops = threading.Event()

    def body(context: RunContext) -> str:
        stops.set()
        wait_for(context.cancelled)
        return "half"

    verdict = run(api, task_id, body, worker_stops=stops.is_set)

    assert verdict is Verdict.HANDED_BACK
    assert (get(api, task_id).status, get(api, task_id).result) == (TaskStatus.SUBMITTED, None)


def test_a_stopping_worker_claims_nothing() -> None:
    api = Flaky(FakeTaskApi())
    task_id = add(api.api)

    verdict = run(api, task_id, lambda _: 1, worker_stops=lambda: True)

    assert verdict is Verdict.DROPPED
    assert api.paths() == []


def test_a_repeatable_run_that_does_not_return_is_handed_back_by_force() -> None:
    api = FakeTaskApi(lease_seconds=0.4)
    task_id = add(api, repeat=True, queue="q")
    lost, stops = threading.Event(), threading.Event()

    def body(_: RunContext) -> None:
        stops.set()
        assert lost.wait(5)

    verdict = run(api, task_id, body, worker_stops=stops.is_set, on_lost=lost.set)

    assert verdict is Verdict.HANDED_BACK
    assert get(api, task_id).status == TaskStatus.SUBMITTED


def test_a_repeatable_run_that_was_done_before_it_noticed_the_stop_is_finished() -> None:
    api = FakeTaskApi()
    task_id = add(api, repeat=True, queue="q")
    stops = threading.Event()

    run(api, task_id, lambda _: stops.set(), worker_stops=stops.is_set)

    assert get(api, task_id).status == TaskStatus.FINISHED


def test_an_unrepeatable_run_goes_on_while_the_worker_waits() -> None:
    api = FakeTaskApi()
    task_id = add(api)
    stops = threading.Event()

    def body(context: RunContext) -> bool:
        stops.set()
        return context.cancelled()

    run(api, task_id, body, worker_stops=stops.is_set)

    assert (get(api, task_id).status, get(api, task_id).result) == (TaskStatus.FINISHED, False)


def test_an_unrepeatable_run_ends_as_worker_stopped_after_the_grace() -> None:
    api = FakeTaskApi(lease_seconds=0.4)
    task_id = add(api)
    stops = threading.Event()

    def body(context: RunContext) -> str:
        stops.set()
        wait_for(context.cancelled)
        return "as far as it came"

    run(api, task_id, body, worker_stops=stops.is_set)

    task = get(api, task_id)
    assert (task.status, task.reason_code, task.result) == (TaskStatus.FAILED, "worker_stopped", "as far as it came")


def test_a_stopping_worker_does_not_wait_for_an_absent_server() -> None:
    api = Flaky(FakeTaskApi(), "/task/start", failures=1_000_000)
    task_id = add(api.api)
    began = time.monotonic()

    verdict = run(api, task_id, lambda _: 1, worker_stops=lambda: bool(api.calls), policy=RunPolicy())

    assert verdict is Verdict.DROPPED
    assert time.monotonic() - began < 2
