"""The owner's side of the task API: adding, looking, closing, hiding; each use case is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks import history, listing, store
from gm_async_task.tasks.followers import Endings, Follower, NoFollower, in_followed_write
from gm_async_task.tasks.meter import Ended, TaskMeter, end_of
from gm_async_task.tasks.store import TaskRow
from gm_async_task.tasks.waiting import WaitingRoom
from gm_async_task.tasks.wire import run_fields, task_fields
from shared.context import current_request_id, new_id
from shared.database import DatabaseClock, in_read, in_write
from shared.errors import IdReused, InvalidField, UnknownFunction
from shared.task_api import commands
from shared.task_api.lanes import rung_queue
from shared.task_api.models import ENDED, AddedTask, HideLeftOut, Run, Task, TaskStatus

log = structlog.get_logger(__name__)

# Adding again under the same id is the same request when these agree. The business name is for readers and comes in
# their language, message_show and queue change in a task's life.
_SAME_REQUEST = ("name", "input", "type", "business_id", "repeat", "run_seconds")
ChooseLane = Callable[[Connection, str, str, str], str | None]
"""the lane of a new task, from its queue, station and user_task_id"""
CLOSED_BEFORE_START = "Closed before it was started."


class TaskService:
    """What callers who own tasks ask for."""

    def __init__(
        self,
        engine: Engine,
        settings: AsyncTaskSettings,
        clock: DatabaseClock,
        meter: TaskMeter | None = None,
        choose_lane: ChooseLane = lambda *_task: None,
        *,
        follower: Follower | None = None,
    ) -> None:
        """Put new tasks into the lane that `choose_lane` says, the base lane by default."""
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._meter = meter or TaskMeter()
        self._choose_lane = choose_lane
        self._follower = follower or NoFollower()
        self._waiting = WaitingRoom(clock)

    def add_task(self, command: commands.AddTask) -> AddedTask:
        """Add a task; the same id and request again return the first task.

        Raises:
            IdReused: the user_task_id stands for another request.
            UnknownFunction: the name is not among those that may be added here.
        """
        allowed = self._settings.task_names
        if allowed and not any(f"{command.task_name}.".startswith(f"{name.rstrip('.')}.") for name in allowed):
            raise UnknownFunction(name=command.task_name)
        values = self._new_row(command)
        try:
            added = in_write(self._engine, lambda connection: self._insert(connection, values))
        except IntegrityError:
            added = in_read(self._engine, lambda connection: _known_task(connection, values))
            log.info("task_known", task_id=added.task_id, task_name=command.task_name, station_id=command.station_id)
        else:
            self._meter.added(command.queue)
            log.info(
                "task_added",
                task_id=added.task_id,
                task_name=command.task_name,
                station_id=command.station_id,
                queue=added.queue,
            )
        return added

    def close_task(self, command: commands.CloseTask) -> None:
        """End a submitted task, ask a running one to stop, leave an ended one as it is.

        Raises:
            TaskNotFound
        """
        ended = in_followed_write(
            self._engine, self._follower, lambda connection, endings: self._close(connection, command, endings)
        )
        self._meter.ended(ended)

    def get_task(self, command: commands.GetTask) -> Task:
        """Return one task.

        Raises:
            TaskNotFound
        """

        def read(connection: Connection) -> TaskRow:
            task_id = store.get_state(connection, command).id
            return store.get_whole(connection, task_id, without_input=command.brief or command.without_input)

        return Task(**task_fields(in_read(self._engine, read), self._settings.zone, brief=command.brief))

    def list_tasks(self, command: commands.ListTasks) -> list[Task]:
        """Return a page of a station's tasks, newest first."""
        zone = self._settings.zone

        def read(connection: Connection) -> list[Task]:
            rows = listing.list_page(connection, command, zone)
            places = self._waiting.places(connection, rows) if command.with_waiting else {}
            return [Task(**task_fields(row, zone, brief=command.brief, waiting=places.get(row.id))) for row in rows]

        return in_read(self._engine, read)

    def list_runs(self, command: commands.ListRuns) -> list[Run]:
        """Return the runs of one task, first to last.

        Raises:
            TaskNotFound
        """

        def read(connection: Connection) -> Sequence[history.RunRow]:
            return history.list_runs(connection, [store.get_state(connection, command).id], with_log=command.with_log)

        return [Run(**run_fields(row, self._settings.zone)) for row in in_read(self._engine, read)]

    def hide_tasks(self, command: commands.HideTasks) -> HideLeftOut | None:
        """Hide the ended ones of the named tasks; return what could not be hidden, None where all were.

        Raises:
            InvalidField: several stations use one of the ids and the command names no station.
        """

        def hide(connection: Connection) -> HideLeftOut | None:
            rows = listing.list_states(connection, command)
            _check_one_station(rows)
            listing.hide_ended(connection, self._clock, command)
            return _left_out(command, rows)

        return in_write(self._engine, hide)

    def _new_row(self, command: commands.AddTask) -> dict[str, Any]:
        rung = command.queue is not None
        return {
            "user_task_id": command.user_task_id or new_id(),
            "name": command.task_name,
            "station_id": command.station_id,
            "input": command.input,
            "repeat": bool(command.repeat),
            "message_show": command.message_show is not False,
            "business_id": command.business,
            "business_name": command.business_name or "",
            "type": command.kind,
            "request_id": current_request_id(),
            "queue": command.queue,
            "dispatch_seconds": self._settings.ring_after_seconds if rung else None,
            "submitted_by": command.submitted_by,
            "file_name": command.file_name,
            "run_seconds": float(command.run_seconds or self._settings.run_seconds),
        }

    def _insert(self, connection: Connection, values: dict[str, Any]) -> AddedTask:
        queue, key = values["queue"], values["user_task_id"]
        lane = None if queue is None else self._choose_lane(connection, queue, values["station_id"], key)
        task_id = store.insert_task(connection, self._clock, **values, lane=lane)
        return _added(task_id, key, queue, lane)

    def _close(self, connection: Connection, command: commands.CloseTask, endings: Endings) -> Ended | None:
        """Return what ended, None where it runs or had ended before."""
        row = store.get_state(connection, command, lock=True)
        reason = command.reason or CLOSED_BEFORE_START
        if store.end_submitted(connection, self._clock, row.id, reason=reason, reason_code="closed"):
            endings.note(row.id)
            log.info("task_closed", task_id=row.id)
            return end_of(row, TaskStatus.FAILED, "closed")
        if store.request_stop(connection, self._clock, row.id, self._settings.stop_seconds, command.reason):
            log.info("task_stop_requested", task_id=row.id)
        return None


def _known_task(connection: Connection, values: dict[str, Any]) -> AddedTask:
    row = store.find_by_user_task_id(connection, values["station_id"], values["user_task_id"])
    if row is None or any(getattr(row, name) != values[name] for name in _SAME_REQUEST):
        raise IdReused(user_task_id=values["user_task_id"])
    return _added(row.id, row.user_task_id, row.queue, row.lane)


def _added(task_id: int, user_task_id: str, queue: str | None, lane: str | None) -> AddedTask:
    rung = None if queue is None else rung_queue(queue, lane)
    return AddedTask(task_id=task_id, user_task_id=user_task_id, queue=rung)


def _check_one_station(rows: Sequence[TaskRow]) -> None:
    """An id of the caller's is unique within a station only."""
    if len({row.user_task_id for row in rows}) < len(rows):
        raise InvalidField(field="station_id", problem="several stations have this user_task_id; name one")


def _left_out(command: commands.HideTasks, rows: Iterable[TaskRow]) -> HideLeftOut | None:
    states: dict[int | str, int] = {}
    for row in rows:
        states |= {row.id: row.status, row.user_task_id: row.status}
    keys: list[int | str] = [*(command.task_ids or []), *(command.user_task_ids or [])]
    unknown = [key for key in keys if key not in states]
    running = [key for key in keys if key in states and states[key] not in ENDED]
    return HideLeftOut(unknown=unknown, running=running) if unknown or running else None
