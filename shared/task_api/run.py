"""Runs a function body between start and finish: claim, perform under a kept lease, report patiently.

The body is never run again by this module; whether a task is, the server decides by its lease and `repeat`.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from shared.context import bound, new_id
from shared.errors import Language, NotStartable, PlatformError, StaleRun, TaskNotFound
from shared.retry import Patience, call_patiently
from shared.run_log import collected_log
from shared.task_api.client import TaskClient
from shared.task_api.held_run import CLAIM_DELAY_SECONDS, Ending, HeldRun, RunPolicy
from shared.task_api.models import Outcome, StartedTask, TaskStatus
from shared.task_api.reasons import ReasonCode, sentence
from shared.task_api.report import Verdict, failed, report, storable_reason
from shared.web import strict_json

log = structlog.get_logger(__name__)
WATCH_SECONDS = 0.25


class RunStopped(Exception):
    """Raised by `RunContext.check` so that a body leaves at once; nothing has gone wrong."""


class RunFailed(Exception):
    """Raised by a body to end its task as 5 with a sentence and a code of its own, without a traceback in the log."""

    def __init__(self, reason: str, reason_code: str = ReasonCode.FUNCTION_FAILED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reason_code = reason_code


@dataclass(frozen=True, slots=True)
class Claim:
    """What a message says about the task to be run, and who wants to run it."""

    task_id: int
    task_name: str | None = None
    """start only if the task has this name"""
    expect_run_count: int | None = None
    """start only if it was started this often so far"""
    owner: str | None = None
    """who runs it, at most 128 characters"""
    queue: str | None = None
    """the queue that the message came by, where a lost run is rung for again"""
    sent_time: str | None = None
    """when the message was sent, ISO 8601"""
    claim_id: str = field(default_factory=new_id)
    """makes a repeated start harmless whose answer was lost"""


class RunContext:
    """What a task function is given."""

    def __init__(self, held: HeldRun) -> None:
        self._held = held
        self.task_id = held.task.task_id
        self.station_id = held.task.station_id
        self.run_count = held.task.run_count
        """the fencing token: effects that carry it can't come from a run that lost its task"""
        self.request_id = held.task.request_id
        """the request that caused the task"""
        self.input: Any = _parse_input(held.task.input)
        """the business request: a JSON value, or the text where it is none"""

    def progress(self, done: int, total: int) -> None:
        """Say that `done` of `total` is done; cheap to call often, never raises for the network's sake."""
        if total > 0:
            self._held.progress(max(0, done) * 100 // total)

    def show(self, result: Any) -> None:
        """Show an interim result, a small JSON value, to whoever watches; sent as seldom as progress is."""
        self._held.show(result)

    def cancelled(self) -> bool:
        """Tell whether the run must end soon: closed, worker stopping, too long, or lost. Stays True."""
        self._held.look()
        self._held.refresh()
        return self._held.tell()

    def check(self) -> None:
        """Leave the body when the run must end.

        Raises:
            RunStopped: do not catch it.
        """
        if self.cancelled():
            raise RunStopped


Body = Callable[[RunContext], Any]


def leave_process() -> None:
    """End this process at once, without clean-up: what a body still does must not count."""
    os._exit(70)


def run_body(
    client: TaskClient,
    claim: Claim,
    body: Body,
    *,
    policy: RunPolicy,
    worker_stops: Callable[[], bool] = lambda: False,
    on_lost: Callable[[], None] = leave_process,
) -> Verdict:
    """Run `body` once for the task that `claim` names, and report its end.

    The body runs in this thread and returns a JSON value (status 3) or an `Outcome`; whatever it raises, SystemExit
    included, ends the task as 5. `worker_stops` is asked a few times a second. `on_lost` is called from another
    thread, after all that can be reported was, when the body does not return though its run is over: it must
    end what the body does, and normally the process.
    """
    task = _claim(client, claim, policy, worker_stops)
    if task is None:
        return Verdict.DROPPED
    facts = {"request_id": task.request_id} if task.request_id else {}
    with bound(task_id=task.task_id, run_count=task.run_count, **facts), collected_log() as run_log:
        held = HeldRun(client, task, policy, worker_stops, run_log)
        watch = _Watch(held, on_lost)
        watch.start()
        try:
            outcome = _perform(body, held)
            if not held.take_report():
                watch.wait_for_report()
                return watch.verdict
            return report(held, outcome)
        finally:
            watch.stop()


def _claim(client: TaskClient, claim: Claim, policy: RunPolicy, worker_stops: Callable[[], bool]) -> StartedTask | None:
    if worker_stops():
        return None  # the sweeper rings again, for a worker that stays
    try:
        return call_patiently(
            lambda: client.start(
                claim.task_id,
                claim_id=claim.claim_id,
                owner=claim.owner,
                task_name=claim.task_name,
                expect_run_count=claim.expect_run_count,
                queue=claim.queue,
                sent_time=claim.sent_time,
            ),
            Patience(policy.start_seconds, longest_delay_seconds=CLAIM_DELAY_SECONDS),
            event="start",
            given_up=worker_stops,
        )
    except (NotStartable, TaskNotFound):
        log.info("run_not_granted", task_id=claim.task_id)
    except PlatformError as error:
        log.error("run_not_started", task_id=claim.task_id, problem=str(error))
    return None


def _perform(body: Body, held: HeldRun) -> Outcome | None:
    """Call the body; return its outcome, None when it left because it was told to."""
    log.info("run_started", task_name=held.task.task_name)
    try:
        returned = _call_alone(body, RunContext(held))
    except RunStopped:
        if held.ending is None:
            held.end(Ending.CLOSED)
        held.tell()
        return None
    except StaleRun:
        held.end(Ending.FENCED)
        return None
    except BaseException as error:  # sys.exit and KeyboardInterrupt in a function end its task, not the worker
        explained = _explain(error, held.policy.language)
        return None if held.told else explained
    if isinstance(returned, Outcome):
        return _storable(returned, held)
    return _storable(_whole(returned, held), held)


def _call_alone(body: Body, context: RunContext) -> Any:
    """Call the body; a process that it forked and that comes back out of it, a second worker, ends here."""
    process = os.getpid()
    try:
        return body(context)
    finally:
        if os.getpid() != process:
            leave_process()


def _explain(error: BaseException, language: Language) -> Outcome:
    """Turn what a body raised into the task's outcome; logged here, once."""
    if isinstance(error, RunFailed):
        log.warning("function_gave_up", reason=error.reason, reason_code=error.reason_code)
        return failed(error.reason, error.reason_code)
    log.error("function_failed", exc_info=error)
    if isinstance(error, PlatformError):
        return failed(error.sentence(language), ReasonCode.FUNCTION_FAILED)
    problem = f"{type(error).__name__}: {_text_of(error)}".removesuffix(": ")
    return failed(sentence(ReasonCode.FUNCTION_FAILED, language, problem=problem), ReasonCode.FUNCTION_FAILED)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an exception of the function's own, whose text fails too
        return ""


def _whole(result: Any, held: HeldRun) -> Outcome:
    """A plain value says nothing about being whole, so that of a run that was closed ends as closed."""
    if held.ending is not Ending.CLOSED:
        return Outcome(result=result)
    return Outcome(TaskStatus.FAILED, result, sentence(ReasonCode.CLOSED, held.policy.language), ReasonCode.CLOSED)


def _storable(outcome: Outcome, held: HeldRun) -> Outcome:
    try:
        strict_json.dumps(outcome.result).encode()
        return storable_reason(outcome)
    except (TypeError, ValueError, RecursionError) as error:
        log.error("result_refused", problem=str(error))
        reason = sentence(ReasonCode.RESULT_REFUSED, held.policy.language, problem=str(error))
        return failed(reason, ReasonCode.RESULT_REFUSED)


class _Watch:
    """A thread that keeps the lease while the body is silent, and acts when the body outlives its run."""

    def __init__(self, held: HeldRun, on_lost: Callable[[], None]) -> None:
        self.verdict = Verdict.UNREPORTED
        self._held = held
        self._on_lost = on_lost
        self._over = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._watch,), name="run-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end; a call of its that is under way is not waited for, the server refuses it as stale."""
        self._over.set()

    def wait_for_report(self) -> None:
        self._thread.join()

    def _watch(self) -> None:
        tick = min(WATCH_SECONDS, self._held.task.lease_seconds / 16)
        while not self._over.wait(tick):
            self._held.look()
            self._held.keep()
            if self._held.is_overdue() and self._held.take_report():
                log.error("body_outlived_its_run")
                self.verdict = report(self._held, None)
                self._on_lost()
                return


def _parse_input(text: str | None) -> Any:
    try:
        return None if text is None else strict_json.loads(text)
    except ValueError:
        return text
