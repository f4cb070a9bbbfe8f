"""The task API in memory, for tests of whoever uses it; it passes the contract suite that the real one passes.

Its clock is `now_seconds`, moved by the test; leases end by `expire_leases()`, as the real keeper does it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from shared.context import new_id
from shared.errors import IdReused, InvalidField, NotFound, NotStartable, StaleRun, TaskNotFound, TransitionRefused
from shared.task_api import commands, lifecycle, result_path
from shared.task_api.fake_workers import FakeWorkers
from shared.task_api.models import ENDED, MOST_AHEAD, TaskStatus, without_rows
from shared.task_api.reasons import ReasonCode, sentence
from shared.task_api.transport import Method
from shared.task_api.workers import LeaveWorker, RefuseTask, ReportWorker
from shared.web.params import to_command

_SAME_REQUEST = ("task_name", "input", "kind", "business", "run_seconds")
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class FakeRow:
    """One task of the fake; tests may look at it and change it."""

    task_id: int
    add: commands.AddTask
    user_task_id: str
    state: lifecycle.State
    created: float
    changed: float
    message_show: bool = True
    reason_code: str | None = None
    started: float | None = None
    ended: float | None = None
    lease_until: float = 0.0
    claim_id: str | None = None
    owner: str | None = None
    stop_requested: bool = False
    stop_reason: str | None = None
    queue: str | None = None
    lost_runs: int = 0
    refused_at: float | None = None
    sent: str | None = None
    run_began: float | None = None
    runs: list[dict[str, Any]] = field(default_factory=list)
    """those that are over"""


class FakeTaskApi:
    """A `Transport` whose other end is this object."""

    def __init__(
        self,
        lease_seconds: float = 60.0,
        run_seconds: float = 3600.0,
        max_runs: int = 3,
        unknown_name_seconds: float = 60.0,
    ) -> None:
        self.rows: dict[int, FakeRow] = {}
        self.now_seconds = 0.0
        self.lease_seconds = lease_seconds
        self.run_seconds = run_seconds
        self.max_runs = max_runs
        self.unknown_name_seconds = unknown_name_seconds
        self.workers = FakeWorkers()
        self._ids = itertools.count(1)
        self._lock = threading.RLock()
        self._routes: dict[str, tuple[type[BaseModel], Callable[[Any], Any]]] = {
            "/task/add": (commands.AddTask, self._add),
            "/task/start": (commands.StartTask, self._start),
            "/task/update": (commands.UpdateTask, self._update),
            "/task/amend": (commands.AmendTask, self._amend),
            "/task/finish": (commands.FinishTask, self._finish),
            "/task/heartbeat": (commands.Heartbeat, self._heartbeat),
            "/task/release": (commands.ReleaseTask, self._release),
            "/task/close": (commands.CloseTask, self._close),
            "/task/get": (commands.GetTask, lambda command: self._shown(self._find(command), command)),
            "/task/runs": (commands.ListRuns, self._list_runs),
            "/task/list": (commands.ListTasks, self._list),
            "/task/hide": (commands.HideTasks, self._hide),
            "/worker/report": (ReportWorker, self.workers.report),
            "/worker/leave": (LeaveWorker, self.workers.leave),
            "/worker/refuse": (RefuseTask, lambda command: {"handed_back": self._refuse(command)}),
        }

    def call(self, _method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """See `Transport.call`."""
        if path not in self._routes:
            raise NotFound()
        model, act = self._routes[path]
        with self._lock:
            return act(to_command(model, parameters))

    def expire_leases(self) -> None:
        """Do what the keeper does with runs that were not heard of in time."""
        with self._lock:
            for row in self.rows.values():
                if row.state.status == TaskStatus.RUNNING and row.lease_until < self.now_seconds:
                    self._lose(row)

    def _add(self, command: commands.AddTask) -> dict[str, Any]:
        known = [row for row in self.rows.values() if row.add.station_id == command.station_id]
        for row in known:
            if row.user_task_id == command.user_task_id:
                if any(getattr(row.add, name) != getattr(command, name) for name in _SAME_REQUEST) or bool(
                    row.add.repeat
                ) != bool(command.repeat):
                    raise IdReused(user_task_id=row.user_task_id)
                return {"task_id": row.task_id, "user_task_id": row.user_task_id, "queue": row.queue}
        state = lifecycle.State(TaskStatus.SUBMITTED, 0, repeat=bool(command.repeat), type=command.kind)
        row = FakeRow(
            next(self._ids), command, command.user_task_id or new_id(), state, self.now_seconds, self.now_seconds
        )
        row.message_show = command.message_show is not False
        row.queue = command.queue
        self.rows[row.task_id] = row
        return {"task_id": row.task_id, "user_task_id": row.user_task_id, "queue": row.queue}

    def _start(self, command: commands.StartTask) -> dict[str, Any]:
        row = self._find(command)
        if row.state.status == TaskStatus.RUNNING and command.claim_id and row.claim_id == command.claim_id:
            return self._started(row)
        named = command.task_name in (None, row.add.task_name)
        if not (named and lifecycle.may_start(row.state, command.expect_run_count)):
            raise NotStartable()
        if row.state.status in ENDED:
            row.lost_runs = 0
        row.state = replace(
            row.state,
            status=TaskStatus.RUNNING,
            run_count=row.state.run_count + 1,
            result=None,
            reason=None,
            progress=0,
        )
        row.claim_id, row.owner, row.reason_code = command.claim_id, command.owner, None
        row.refused_at = None
        row.stop_requested, row.stop_reason = False, None
        row.queue = row.queue or command.queue
        row.started, row.ended = row.started or self.now_seconds, None
        row.sent = None if command.sent_time is None else command.sent_time.isoformat()
        row.run_began = self.now_seconds
        self._renew(row)
        return self._started(row)

    def _update(self, command: commands.UpdateTask) -> dict[str, Any] | None:
        row = self._find(command)
        was_running = row.state.status == TaskStatus.RUNNING
        path = command.path
        if path is not None and command.field != "result":
            raise InvalidField(field="postion", problem="only the result has places inside")
        value = command.value
        if path is None:
            value = lifecycle.check_update(row.state, command.field, value, command.run_count)
        else:
            lifecycle.check_update(row.state, "result", None, command.run_count)
            value = result_path.put(row.state.result, path, value)
        if command.field == "result":
            lifecycle.check_depth(value)
        if command.field == "message_show":
            row.message_show = value
        else:
            row.state = replace(row.state, **{command.field: value})
        if row.state.status != TaskStatus.RUNNING:
            if row.state.status in ENDED:
                self._note_run(row, did_run=was_running)
                row.ended = row.ended or self.now_seconds
            return None
        self._renew(row)
        return {"stop_requested": row.stop_requested}

    def _amend(self, command: commands.AmendTask) -> None:
        row = self._find(command)
        lifecycle.check_amendment(row.state, command.end)
        changes = ((change.postion, change.value) for change in command.changes)
        result = result_path.put_all(row.state.result, changes)
        lifecycle.check_depth(result)
        row.state = replace(row.state, result=result)
        if command.end is not None:
            progress = row.state.progress if command.end == TaskStatus.FAILED else 100
            row.state = replace(row.state, status=command.end, reason=command.reason, progress=progress)
            row.reason_code = command.reason_code
        row.changed = self.now_seconds

    def _finish(self, command: commands.FinishTask) -> None:
        row = self._find(command)
        lifecycle.check_depth(command.result)
        state = row.state
        held = state.status == TaskStatus.RUNNING and command.run_count in (None, state.run_count)
        closed = command.reason_code == "closed"
        names = command.model_fields_set & ({"result"} if closed else {"result", "reason"})
        given = {"status": command.status, **{name: getattr(command, name) for name in names}}
        if not held:
            lifecycle.check_repeated_finish(state, given, command.run_count)
            return
        if closed:
            given["reason"] = row.stop_reason or command.reason
        progress = state.progress if command.status == TaskStatus.FAILED else 100
        row.state = replace(state, progress=progress, **given)
        row.reason_code, row.ended = command.reason_code, self.now_seconds
        self._note_run(row, log=command.log)

    def _heartbeat(self, command: commands.Heartbeat) -> dict[str, Any]:
        row = self._row(command.task_id)
        if row.state.status != TaskStatus.RUNNING or row.state.run_count != command.run_count:
            raise StaleRun(run_count=command.run_count)
        self._renew(row)
        return {
            "lease_until": _moment(row.lease_until),
            "lease_seconds": self.lease_seconds,
            "stop_requested": row.stop_requested,
        }

    def _release(self, command: commands.ReleaseTask) -> None:
        row = self._row(command.task_id)
        run_fits = command.run_count in (None, row.state.run_count)
        owner_fits = command.owner in (None, row.owner)
        if row.state.status != TaskStatus.RUNNING or not (run_fits and owner_fits):
            raise StaleRun(run_count=command.run_count)
        if command.lost:
            self._lose(row)
        elif not row.state.repeat:
            raise TransitionRefused(state="running", wanted="submitted")
        elif row.stop_requested:
            self._end(row, row.stop_reason or "Closed on request.", "closed", command.log)
        elif row.queue is None:
            self._end(row, "No queue is known that would run it again.", "worker_stopped", command.log)
        else:
            row.state = replace(row.state, status=TaskStatus.SUBMITTED)
            self._note_run(row, given_back="handed_back", log=command.log)

    def _close(self, command: commands.CloseTask) -> None:
        row = self._find(command)
        if row.state.status == TaskStatus.SUBMITTED:
            self._end(row, command.reason or "Closed before it was started.", "closed")
        elif row.state.status == TaskStatus.RUNNING:
            row.stop_reason = row.stop_reason if row.stop_requested else command.reason
            row.stop_requested = True

    def _refuse(self, command: RefuseTask) -> bool:
        row = self.rows.get(command.task_id)
        if row is None or row.state.status != TaskStatus.SUBMITTED or row.add.task_name != command.task_name:
            return False
        row.queue = row.queue or command.queue
        if self.workers.know(command.task_name):
            row.refused_at = None
            return True
        if row.refused_at is None:
            row.refused_at = self.now_seconds
        elif self.now_seconds - row.refused_at >= self.unknown_name_seconds:
            reason = sentence(ReasonCode.UNKNOWN_FUNCTION, "en", name=row.add.task_name)
            self._end(row, reason, ReasonCode.UNKNOWN_FUNCTION)
        return False

    def _list(self, command: commands.ListTasks) -> list[dict[str, Any]]:
        rows = [row for row in reversed(self.rows.values()) if self._listed(row, command)]
        first = command.offset * command.limit
        return [self._shown(row, command) for row in rows[first : first + command.limit]]

    def _listed(self, row: FakeRow, command: commands.ListTasks) -> bool:
        return (
            row.add.station_id == command.station_id
            and command.status in (None, row.state.status)
            and command.type in (None, row.state.type)
            and command.message_show in (None, row.message_show)
            and (command.task_ids is None or row.task_id in command.task_ids)
            and (command.user_task_ids is None or row.user_task_id in command.user_task_ids)
            and (command.before_id is None or row.task_id < command.before_id)
            and command.active in (None, row.state.status not in ENDED)
            and (command.since is None or _aware(command.since) <= _EPOCH + timedelta(seconds=row.created))
            and (command.until is None or _aware(command.until) > _EPOCH + timedelta(seconds=row.created))
            and (command.text is None or _has_words(row, command.text.casefold()))
        )

    def _hide(self, command: commands.HideTasks) -> dict[str, Any] | None:
        unknown: list[int | str] = []
        running: list[int | str] = []
        keys: list[int | str] = [*(command.task_ids or []), *(command.user_task_ids or [])]
        named = {key: self._named(key, command.station_id) for key in keys}
        for key, row in named.items():
            if row is None:
                unknown.append(key)
            elif row.state.status not in ENDED:
                running.append(key)
        for row in named.values():
            if row is not None and row.state.status in ENDED:
                row.message_show = False
        return {"unknown": unknown, "running": running} if unknown or running else None

    def _named(self, key: int | str, station_id: str | None) -> FakeRow | None:
        name = "task_id" if isinstance(key, int) else "user_task_id"
        try:
            return self._find(commands.TaskKey.model_validate({name: key, "station_id": station_id}))
        except TaskNotFound:
            return None

    def _row(self, task_id: int) -> FakeRow:
        if task_id not in self.rows:
            raise TaskNotFound()
        return self.rows[task_id]

    def _find(self, key: commands.TaskKey) -> FakeRow:
        found = [
            row
            for row in self.rows.values()
            if key.task_id in (None, row.task_id)
            and key.user_task_id in (None, row.user_task_id)
            and key.station_id in (None, row.add.station_id)
        ]
        if not found:
            raise TaskNotFound()
        if len(found) > 1:
            raise InvalidField(field="station_id", problem="several stations have this user_task_id; name one")
        return found[0]

    def _renew(self, row: FakeRow) -> None:
        row.lease_until = self.now_seconds + self.lease_seconds
        row.changed = self.now_seconds

    def _lose(self, row: FakeRow) -> None:
        row.lost_runs += 1
        verdict = lifecycle.judge_lost(
            repeat=row.state.repeat,
            has_queue=row.queue is not None,
            stop_requested=row.stop_requested,
            lost_runs=row.lost_runs,
            max_runs=self.max_runs,
        )
        if verdict is lifecycle.Lost.RUN_AGAIN:
            row.state = replace(row.state, status=TaskStatus.SUBMITTED)
            self._note_run(row, given_back="worker_lost")
        elif row.stop_requested:
            self._end(row, row.stop_reason or "Closed on request.", "closed")
        else:
            self._end(row, "The worker was lost in the middle of the task.", "worker_lost")

    def _end(self, row: FakeRow, reason: str, reason_code: str, log: Any = None) -> None:
        did_run = row.state.status == TaskStatus.RUNNING
        row.state = replace(row.state, status=TaskStatus.FAILED, reason=reason)
        row.reason_code, row.ended = reason_code, self.now_seconds
        self._note_run(row, did_run=did_run, log=log)

    def _note_run(self, row: FakeRow, *, did_run: bool = True, given_back: str | None = None, log: Any = None) -> None:
        """Note that the present run is over; the row says how it left the task."""
        if did_run:
            over = {"end_time": _moment(self.now_seconds), "reason_code": given_back or row.reason_code}
            row.runs.append({**self._shown_run(row), **over, "log": log or None})

    def _list_runs(self, command: commands.ListRuns) -> list[dict[str, Any]]:
        row = self._find(command)
        present = [self._shown_run(row)] if row.state.status == TaskStatus.RUNNING else []
        shown = [*row.runs, *present]
        return shown if command.with_log else [{**run, "log": None} for run in shown]

    def _shown_run(self, row: FakeRow) -> dict[str, Any]:
        return {
            "task_id": row.task_id,
            "run_count": row.state.run_count,
            "sent_time": row.sent,
            "start_time": None if row.run_began is None else _moment(row.run_began),
            "end_time": None,
            "status": int(row.state.status),
            "reason_code": None,
            "log": None,
        }

    def _started(self, row: FakeRow) -> dict[str, Any]:
        return {
            **self._shown(row),
            "lease_seconds": self.lease_seconds,
            "lease_until": _moment(row.lease_until),
            "run_seconds": float(row.add.run_seconds or self.run_seconds),
            "request_id": None,
        }

    def _shown(self, row: FakeRow, asked: commands.GetTask | commands.ListTasks | None = None) -> dict[str, Any]:
        brief = asked is not None and asked.brief
        without_input = brief or (asked is not None and asked.without_input)
        return {
            "task_id": row.task_id,
            "user_task_id": row.user_task_id,
            "task_name": row.add.task_name,
            "station_id": row.add.station_id,
            "status": int(row.state.status),
            "reason": row.state.reason,
            "reason_code": row.reason_code,
            "progress": row.state.progress,
            "type": row.state.type,
            "business_id": row.add.business,
            "business_name": row.add.business_name or "",
            "run_count": row.state.run_count,
            "create_time": _moment(row.created),
            "modify_time": _moment(row.changed),
            "start_time": None if row.started is None else _moment(row.started),
            "end_time": None if row.ended is None else _moment(row.ended),
            "input": None if without_input else row.add.input,
            "result": without_rows(row.state.result) if brief else row.state.result,
            "repeat": row.state.repeat,
            "message_show": row.message_show,
            "queue": row.queue,
            "stop_requested": row.stop_requested,
            "submitted_by": row.add.submitted_by,
            "file_name": row.add.file_name,
            "sent_time": row.sent,
            "run_start": None if row.started is None else _moment(row.started),
            "lost_runs": row.lost_runs,
            "ahead": self._ahead(row) if isinstance(asked, commands.ListTasks) and asked.with_waiting else None,
            "starts_in_seconds": None,
        }

    def _ahead(self, row: FakeRow) -> int | None:
        if row.state.status != TaskStatus.SUBMITTED or row.queue is None:
            return None
        before = (other for other in self.rows.values() if other.task_id < row.task_id and other.queue == row.queue)
        ahead = sum(other.state.status == TaskStatus.SUBMITTED for other in before)
        return ahead if ahead < MOST_AHEAD else None


def _has_words(row: FakeRow, text: str) -> bool:
    named = (row.add.business_name, row.add.file_name, row.add.submitted_by)
    is_id = text.removeprefix("#") == str(row.task_id) or text == row.user_task_id
    return is_id or any(text in (name or "").casefold() for name in named)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(seconds: float) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()
