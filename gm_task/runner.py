"""Runs the task that a message names: looks the function up, and lets `shared.task_api.run` claim and report."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from gm_task.context import TaskContext, Tools
from gm_task.pulse import ChildPulses
from shared.context import accept_request_id, bound
from shared.metrics.meters import Meters
from shared.metrics.table import RUNS_ENDED, RUNS_STARTED, WORKER
from shared.per_process import PerProcess
from shared.profiling.runs import ProfiledRuns
from shared.task_api.client import TaskClient
from shared.task_api.held_run import RunPolicy
from shared.task_api.lanes import base_queue
from shared.task_api.report import Verdict
from shared.task_api.run import Claim, RunContext, leave_process, run_body

log = structlog.get_logger(__name__)
MAX_OWNER_CHARACTERS = 128
_LONGEST_AGO_SECONDS = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Message:
    """A doorbell as it came; anybody with access to the broker may have written it."""

    id: object
    args: Sequence[Any]
    run_count: object = None
    """the task's run_count when the doorbell was sent"""
    request_id: object = None
    queue: object = None
    """the queue it came by"""
    sent_at: object = None
    """when it was sent, in seconds since 1970"""


@dataclass(frozen=True, slots=True)
class Runner:
    """What a worker's children share; made before the fork, it connects after it."""

    functions: Mapping[str, Callable[[TaskContext], Any]]
    client: PerProcess[TaskClient]
    tools: PerProcess[Tools]
    policy: RunPolicy
    worker_stops: Callable[[], bool]
    worker_name: str
    meters: Meters = field(default_factory=lambda: Meters(WORKER))
    pulses: ChildPulses = field(default_factory=lambda: ChildPulses(1))
    profiled: ProfiledRuns | None = None

    def run_task(self, name: str, message: Message) -> Verdict:
        """Run the task that `message` names by the registered function `name`; never raises."""
        task_id = find_task_id(message.args)
        if task_id is None:
            log.warning("message_malformed", task_name=name, message_id=str(message.id))
            return Verdict.DROPPED
        offered = message.request_id if isinstance(message.request_id, str) else None
        with bound(request_id=accept_request_id(offered), task_id=task_id), self.pulses.running():
            verdict = self._run(name, task_id, message)
        self.meters.count(RUNS_ENDED, task_name=name, verdict=verdict.value)
        return verdict

    def _run(self, name: str, task_id: int, message: Message) -> Verdict:
        # A message without a count is taken for a task's first: nothing that ended is started again by it.
        seen = message.run_count if isinstance(message.run_count, int) and message.run_count >= 0 else 0
        queue = base_queue(message.queue) if isinstance(message.queue, str) else None
        owner = owner_name(self.worker_name, message.id)
        sent_time = _moment_of(message.sent_at)
        claim = Claim(task_id, name, expect_run_count=seen, owner=owner, queue=queue, sent_time=sent_time)
        function = self.functions[name]
        tools = self.tools.get()

        def body(context: RunContext) -> Any:
            self.meters.count(RUNS_STARTED, task_name=name)
            if self.profiled is None:
                return function(TaskContext(context, tools))
            return self.profiled.run(name, task_id, context.run_count, lambda: function(TaskContext(context, tools)))

        def leave() -> None:
            tools.scripts.kill_running()
            self.meters.count(RUNS_ENDED, task_name=name, verdict="left")
            log.error("process_left", pid=os.getpid())
            leave_process()

        return run_body(
            self.client.get(), claim, body, policy=self.policy, worker_stops=self.worker_stops, on_lost=leave
        )


def find_task_id(args: object) -> int | None:
    """Return the task id of a message's arguments, which must be just that."""
    match args:
        case [int(task_id)] if not isinstance(task_id, bool) and 0 < task_id < 2**63:
            return task_id
    return None


def _moment_of(seconds: object) -> str | None:
    """Return when a message says that it was sent; None where it says nothing that can be."""
    if not isinstance(seconds, int | float) or not abs(time.time() - seconds) < _LONGEST_AGO_SECONDS:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def owner_name(worker_name: str, message_id: object) -> str:
    """Name one run of one worker, so that its parent process can give the run back when its child died."""
    return f"{worker_name}|{message_id}"[:MAX_OWNER_CHARACTERS]
