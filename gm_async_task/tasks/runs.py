"""The worker's side of the task API: starting, renewing, changing, ending and giving back a run.

Each use case is one transaction. `run_count` is the fencing token: whoever carries another has lost the task.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import structlog
from sqlalchemy.engine import Connection, Engine

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks import history, store
from gm_async_task.tasks.followers import Endings, Follower, NoFollower, in_followed_write
from gm_async_task.tasks.meter import Ended, TaskMeter, end_of
from gm_async_task.tasks.store import TaskRow
from gm_async_task.tasks.wire import task_fields
from shared.database import DatabaseClock, in_write, to_zone
from shared.errors import InvalidField, NotStartable, StaleRun, TooLarge, TransitionRefused
from shared.task_api import commands, lifecycle, result_path
from shared.task_api.models import ENDED, Lease, Signals, StartedTask, TaskStatus
from shared.web import strict_json

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

WORKER_LOST = "The worker was lost in the middle of the task; it was not run again, so that nothing happens twice."
NOBODY_RINGS = "The worker was lost in the middle of the task, and no queue is known that would run it again."
WORKER_LOST_AGAIN = "The worker was lost in the middle of the task {count} times; it was given up."
CLOSED = "Closed on request."


class RunService:
    """What workers ask for."""

    def __init__(
        self,
        engine: Engine,
        settings: AsyncTaskSettings,
        clock: DatabaseClock,
        meter: TaskMeter | None = None,
        *,
        follower: Follower | None = None,
    ) -> None:
        self._follower = follower or NoFollower()
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._meter = meter or TaskMeter()

    def start_task(self, command: commands.StartTask) -> StartedTask:
        """Claim a task for one run.

        Raises:
            TaskNotFound
            NotStartable: another run has it, it has ended, or it is not what the caller expects.
        """
        row, submitted_at = in_write(self._engine, lambda connection: self._claim(connection, command))
        self._meter.started(row, submitted_at)
        log.info("task_started", task_id=row.id, run_count=row.run_count, owner=row.owner)
        return StartedTask(
            **task_fields(row, self._settings.zone),
            lease_seconds=self._settings.lease_seconds,
            lease_until=self._lease_end(row),
            run_seconds=row.run_seconds,
            request_id=row.request_id,
        )

    def update_task(self, command: commands.UpdateTask) -> Signals | None:
        """Change one field, or one place of the result, under the row's lock; a running task's lease is extended.

        Raises:
            TaskNotFound, InvalidField, InvalidPath, StaleRun, TransitionRefused, ProgressBackwards, TooLarge
        """
        if command.run_count is None:
            self._meter.unfenced("update")
        signals, ended = self._write(lambda connection, endings: self._change(connection, command, endings))
        self._meter.ended(ended)
        return signals

    def amend_task(self, command: commands.AmendTask) -> None:
        """Change places of an ended import's result, and its status, under the row's lock: all of it or nothing.

        Raises:
            TaskNotFound, InvalidPath, TransitionRefused, TooLarge
        """
        in_write(self._engine, lambda connection: self._amend(connection, command))
        log.info("task_amended", task_id=command.task_id, changes=len(command.changes), status=command.status)

    def finish_task(self, command: commands.FinishTask) -> None:
        """End the present run; the same run's same outcome again changes nothing.

        Raises:
            TaskNotFound, StaleRun, TransitionRefused, TooLarge
        """
        if command.run_count is None:
            self._meter.unfenced("finish")
        check_result(command.result, self._settings.max_result_bytes)
        ended = self._write(lambda connection, endings: self._finish(connection, command, endings))
        self._meter.ended(ended)
        if ended is not None:
            log.info(
                "task_finished", task_id=ended.task_id, status=int(command.status), reason_code=command.reason_code
            )

    def heartbeat(self, command: commands.Heartbeat) -> Lease:
        """Extend the lease of a run.

        Raises:
            TaskNotFound
            StaleRun: the task is no longer this run's.
        """
        row = in_write(self._engine, lambda connection: self._beat(connection, command))
        return Lease(
            lease_until=self._lease_end(row),
            lease_seconds=self._settings.lease_seconds,
            stop_requested=row.stop_requested,
        )

    def release_task(self, command: commands.ReleaseTask) -> None:
        """Take a task back from a run that hands it back, or that died.

        Raises:
            TaskNotFound
            StaleRun: the task is no longer that run's.
            TransitionRefused: a task that may not run twice can't be handed back.
        """
        ended = self._write(lambda connection, endings: self._release(connection, command, endings))
        self._meter.released(ended, lost=bool(command.lost))
        log.info("task_released", task_id=command.task_id, lost=command.lost, owner=command.owner)

    def _write(self, work: Callable[[Connection, Endings], Result]) -> Result:
        return in_followed_write(self._engine, self._follower, work)

    def _claim(self, connection: Connection, command: commands.StartTask) -> tuple[TaskRow, datetime | None]:
        """Return the claimed task, and since when it waited for this; None where it did not."""
        found = store.get_state(connection, command)
        claimed = store.claim(
            connection, self._clock, found.id, self._settings.lease_seconds, command, zone=self._settings.zone
        )
        if not claimed:
            self._check_same_claim(store.get_state(connection, commands.TaskKey(task_id=found.id)), command)
        elif found.workflow_task_id is not None and not self._follower.on_started(connection, found):
            raise NotStartable()
        waited = claimed and found.status == TaskStatus.SUBMITTED
        return store.get_whole(connection, found.id), found.modify_time if waited else None

    def _check_same_claim(self, row: TaskRow, command: commands.StartTask) -> None:
        """Let a worker whose first answer was lost have it again."""
        same = command.claim_id is not None and row.claim_id == command.claim_id
        if not (same and row.status == TaskStatus.RUNNING):
            raise NotStartable()

    def _change(
        self, connection: Connection, command: commands.UpdateTask, endings: Endings
    ) -> tuple[Signals | None, Ended | None]:
        row = store.get_state(connection, command, lock=True, clock=self._clock)
        ended = None
        changes: dict[str, Any] = {command.field: self._new_value(connection, row, command)}
        status_after = changes.get("status", row.status)
        if status_after in ENDED and row.status not in ENDED:
            changes = store.ended(self._clock, status_after)
            ended = end_of(row, status_after, row.reason_code)
        elif status_after == TaskStatus.RUNNING:
            changes["lease_until"] = self._clock.after(self._settings.lease_seconds)
        store.change(connection, self._clock, row.id, **changes)
        if ended is not None:
            if row.status == TaskStatus.RUNNING:
                history.note_end(connection, self._clock, row.id)
            endings.note(row.id)
        signals = Signals(stop_requested=row.stop_requested) if status_after == TaskStatus.RUNNING else None
        return signals, ended

    def _new_value(self, connection: Connection, row: TaskRow, command: commands.UpdateTask) -> Any:
        if command.path is None:
            value = lifecycle.check_update(_state(row), command.field, command.value, command.run_count)
        elif command.field != "result":
            raise InvalidField(field="postion", problem="only the result has places inside")
        else:
            lifecycle.check_update(_state(row), "result", None, command.run_count)
            value = result_path.put(store.get_result(connection, row.id), command.path, command.value)
        if command.field == "result":
            check_result(value, self._settings.max_result_bytes)
        return value

    def _amend(self, connection: Connection, command: commands.AmendTask) -> None:
        row = store.get_state(connection, command, lock=True)
        lifecycle.check_amendment(_state(row), command.end)
        changes_of_result = ((change.postion, change.value) for change in command.changes)
        result = result_path.put_all(store.get_result(connection, row.id), changes_of_result)
        check_result(result, self._settings.max_result_bytes)
        changes: dict[str, Any] = {"result": result}
        if command.status is not None:
            progress = row.progress if command.status == TaskStatus.FAILED else 100
            changes |= {"status": command.status, "progress": progress}
            changes |= {"reason": command.reason, "reason_code": command.reason_code}
        store.change(connection, self._clock, row.id, **changes)

    def _finish(self, connection: Connection, command: commands.FinishTask, endings: Endings) -> Ended | None:
        """Return what ended, None where it had ended so before."""
        row = store.get_state(connection, command, lock=True, clock=self._clock)
        given = _given_outcome(command)
        changes = {
            **given,
            "reason_code": command.reason_code,
            "progress": row.progress if command.status == TaskStatus.FAILED else 100,
        }
        if command.reason_code == "closed":
            # Whoever closed the task said why; the run only says that it obeyed.
            changes["reason"] = row.stop_reason or command.reason
        status = changes.pop("status")
        if store.end_run(connection, self._clock, row.id, command.run_count, status, log=command.log, **changes):
            if row.workflow_task_id is not None:
                endings.note(row.id)
            return end_of(row, status, command.reason_code)
        state = _state(row, result=store.get_result(connection, row.id))
        lifecycle.check_repeated_finish(state, given, command.run_count)
        return None

    def _beat(self, connection: Connection, command: commands.Heartbeat) -> TaskRow:
        lease_seconds = self._settings.lease_seconds
        held = store.renew_lease(connection, self._clock, command.task_id, command.run_count, lease_seconds)
        row = store.get_state(connection, commands.TaskKey(task_id=command.task_id))
        if not held:
            raise StaleRun(run_count=command.run_count)
        return row

    def _release(self, connection: Connection, command: commands.ReleaseTask, endings: Endings) -> Ended | None:
        """Return what ended, None where the task waits for its next run."""
        ended = self._give_back(connection, command)
        endings.note(command.task_id)
        return ended

    def _give_back(self, connection: Connection, command: commands.ReleaseTask) -> Ended | None:
        row = store.get_state(connection, commands.TaskKey(task_id=command.task_id), lock=True, clock=self._clock)
        fits = command.run_count in (None, row.run_count) and command.owner in (None, row.owner)
        if row.status != TaskStatus.RUNNING or not fits:
            raise StaleRun(run_count=row.run_count if command.run_count is None else command.run_count)
        if command.lost:
            return lose_run(connection, self._clock, row, self._settings.max_runs)
        if not row.repeat:
            raise TransitionRefused(state="running", wanted="submitted")
        said = {"log": command.log}
        if row.stop_requested:
            return _end_closed(connection, self._clock, row, **said)
        if row.queue is None:
            return _end_failed(connection, self._clock, row, reason=NOBODY_RINGS, reason_code="worker_stopped", **said)
        lost_runs, why = row.lost_runs, history.HANDED_BACK
        store.return_to_queue(connection, self._clock, row.id, row.run_count, lost_runs=lost_runs, why=why, **said)
        return None

    def _lease_end(self, row: TaskRow) -> Any:
        return to_zone(row.lease_until, self._settings.zone)


def check_result(result: Any, max_bytes: int) -> None:
    """Let a result pass that every database takes.

    Raises:
        TooLarge, InvalidField
    """
    if isinstance(result, dict | list | str) and len(strict_json.dumps(result).encode()) > max_bytes:
        raise TooLarge(what="result", limit=f"{max_bytes} bytes")
    lifecycle.check_depth(result)


def lose_run(connection: Connection, clock: DatabaseClock, row: TaskRow, max_runs: int) -> Ended | None:
    """Decide about a task whose run has died: submitted again, or ended with a reason; return what ended.

    `row` is locked, and has the moment as `now`.
    """
    lost_runs = row.lost_runs + 1
    verdict = lifecycle.judge_lost(
        repeat=bool(row.repeat),
        has_queue=row.queue is not None,
        stop_requested=row.stop_requested,
        lost_runs=lost_runs,
        max_runs=max_runs,
    )
    if verdict is lifecycle.Lost.RUN_AGAIN:
        why = history.WORKER_LOST
        store.return_to_queue(connection, clock, row.id, row.run_count, lost_runs=lost_runs, why=why)
        return None
    if row.stop_requested:
        return _end_closed(connection, clock, row)
    if not row.repeat:
        reason = WORKER_LOST
    else:
        reason = NOBODY_RINGS if row.queue is None else WORKER_LOST_AGAIN.format(count=lost_runs)
    return _end_failed(connection, clock, row, reason=reason, reason_code="worker_lost", lost_runs=lost_runs)


def _end_closed(connection: Connection, clock: DatabaseClock, row: TaskRow, **said: Any) -> Ended:
    """End a run that was asked to stop and is over: what was closed is not run again."""
    return _end_failed(connection, clock, row, reason=row.stop_reason or CLOSED, reason_code="closed", **said)


def _end_failed(connection: Connection, clock: DatabaseClock, row: TaskRow, **outcome: Any) -> Ended:
    store.end_run(connection, clock, row.id, row.run_count, TaskStatus.FAILED, **outcome)
    return end_of(row, TaskStatus.FAILED, outcome["reason_code"])


def _given_outcome(command: commands.FinishTask) -> dict[str, Any]:
    """Return the status, and of result and reason what the caller gave: what it did not give stays as it is.

    The reason of a run that obeyed a stop is not part of it, as the closer's stands in its place.
    """
    names = command.model_fields_set & ({"result"} if command.reason_code == "closed" else {"result", "reason"})
    return {"status": command.status, **{name: getattr(command, name) for name in names}}


def _state(row: TaskRow, result: Any = None) -> lifecycle.State:
    return lifecycle.State(
        status=TaskStatus(row.status),
        run_count=row.run_count,
        repeat=bool(row.repeat),
        type=row.type,
        progress=row.progress,
        result=result,
        reason=row.reason,
    )
