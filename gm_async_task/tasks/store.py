"""The SQL of single tasks; every change of state is one guarded UPDATE whose row count is the verdict.

What every run needs is kept as a statement with bound values: building one costs more than executing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Insert,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection

from gm_async_task.tasks import history
from gm_async_task.tasks.models import tasks
from shared.database import DatabaseClock, to_utc
from shared.errors import InvalidField, TaskNotFound
from shared.task_api import commands
from shared.task_api.models import ENDED, TaskStatus

TaskRow = Row[Any]
ENDED_VALUES = [int(status) for status in ENDED]
WITHOUT_INPUT = [column for column in tasks.c if column.name != "input"]
# What the rules and guards look at; input and result may be megabytes and are read only where they are needed.
_STATE = [column for column in tasks.c if column.name not in ("input", "result")]
_IS_WANTED = tasks.c.id == bindparam("wanted_id")
_WHOLE = select(tasks).where(_IS_WANTED)
_WHOLE_WITHOUT_INPUT = select(*WITHOUT_INPUT).where(_IS_WANTED)
_RESULT = select(tasks.c.result).where(_IS_WANTED)


def insert_task(connection: Connection, clock: DatabaseClock, *, dispatch_seconds: float | None, **values: Any) -> int:
    """Insert a submitted task, to be rung for in `dispatch_seconds` if at all, and return its id."""
    key = connection.execute(_insert_statement(clock, dispatch_seconds), values).inserted_primary_key
    assert key is not None  # noqa: S101 an insert of one row has a key
    return int(key[0])


@lru_cache(maxsize=64)
def _insert_statement(clock: DatabaseClock, dispatch_seconds: float | None) -> Insert:
    return insert(tasks).values(
        status=int(TaskStatus.SUBMITTED),
        run_count=0,
        dispatch_count=0,
        lost_runs=0,
        stop_requested=False,
        dispatch_at=None if dispatch_seconds is None else clock.after(dispatch_seconds),
        creat_time=clock.now(),
        modify_time=clock.now(),
    )


def find_by_user_task_id(connection: Connection, station_id: str, user_task_id: str) -> TaskRow | None:
    """Return the whole task that a station knows under its own id."""
    query = select(tasks).where(tasks.c.station_id == station_id, tasks.c.user_task_id == user_task_id)
    return connection.execute(query).one_or_none()


def get_state(
    connection: Connection, key: commands.TaskKey, *, lock: bool = False, clock: DatabaseClock | None = None
) -> TaskRow:
    """Return the task that `key` names, without its input and result; with a `clock` also the moment as `now`.

    Raises:
        TaskNotFound: there is none.
        InvalidField: several stations use that user_task_id and the key names no station.
    """
    named = _named(key)
    rows = connection.execute(_state_query(tuple(named), lock, clock), named).all()
    if not rows:
        raise TaskNotFound()
    if len(rows) > 1:
        raise InvalidField(field="station_id", problem="several stations have this user_task_id; name one")
    return rows[0]


def get_whole(connection: Connection, task_id: int, *, without_input: bool = False) -> TaskRow:
    """Return one task that is known to exist, with result and with input unless it is to be left out."""
    query = _WHOLE_WITHOUT_INPUT if without_input else _WHOLE
    return connection.execute(query, {"wanted_id": task_id}).one()


def get_result(connection: Connection, task_id: int) -> Any:
    """Return the result of one task that is known to exist."""
    return connection.execute(_RESULT, {"wanted_id": task_id}).scalar_one()


def claim(
    connection: Connection,
    clock: DatabaseClock,
    task_id: int,
    lease_seconds: float,
    command: commands.StartTask,
    *,
    zone: ZoneInfo,
) -> bool:
    """Begin a run; of any number of callers at once exactly one gets True. `zone` is that of moments without one."""
    counted, named = command.expect_run_count is not None, command.task_name is not None
    sent = None if command.sent_time is None else to_utc(command.sent_time, zone)
    given = {"new_claim_id": command.claim_id, "new_owner": command.owner, "came_by": command.queue, "sent_at": sent}
    expected = {"expected_count": command.expect_run_count} if counted else {}
    wanted = {"wanted_name": command.task_name} if named else {}
    statement = _claim_statement(clock, lease_seconds, counted, named)
    return connection.execute(statement, {"wanted_id": task_id, **given, **expected, **wanted}).rowcount == 1


@lru_cache(maxsize=64)
def _claim_statement(clock: DatabaseClock, lease_seconds: float, counted: bool, named: bool) -> Update:
    guards = [_IS_WANTED, _startable(counted)]
    if named:
        guards.append(tasks.c.name == bindparam("wanted_name"))
    changes = {
        # Runs lost before somebody started the ended task again are history. First, as MySQL assigns from left to
        # right and would see the new status.
        "lost_runs": case((tasks.c.status == int(TaskStatus.SUBMITTED), tasks.c.lost_runs), else_=0),
        "status": int(TaskStatus.RUNNING),
        "run_count": tasks.c.run_count + 1,
        "claim_id": bindparam("new_claim_id"),
        "owner": bindparam("new_owner"),
        # Who dispatched by hand named no queue; the one that the bell came by can be rung again.
        "queue": func.coalesce(tasks.c.queue, bindparam("came_by")),
        "start_time": func.coalesce(tasks.c.start_time, clock.now()),
        "refused_at": None,
        "refused_count": 0,
        "sent_time": bindparam("sent_at", type_=tasks.c.sent_time.type),
        "run_start": clock.now(),
        "end_time": None,
        "lease_until": clock.after(lease_seconds),
        "result": None,
        "reason": None,
        "reason_code": None,
        "progress": 0,
        "stop_requested": False,
        "stop_until": None,
        "stop_reason": None,
        "modify_time": clock.now(),
    }
    return update(tasks).where(*guards).ordered_values(*changes.items())


def renew_lease(
    connection: Connection, clock: DatabaseClock, task_id: int, run_count: int, lease_seconds: float
) -> bool:
    """Extend the lease of the present run; False where `run_count` is not its token."""
    statement = update(tasks).where(_held(task_id, run_count)).values(lease_until=clock.after(lease_seconds))
    return connection.execute(statement).rowcount == 1


def change(connection: Connection, clock: DatabaseClock, task_id: int, **values: Any) -> None:
    """Write columns of a task whose row is locked and whose change the lifecycle has allowed."""
    connection.execute(update(tasks).where(tasks.c.id == task_id).values({"modify_time": clock.now(), **values}))


def end_run(
    connection: Connection,
    clock: DatabaseClock,
    task_id: int,
    run_count: int | None,
    status: int,
    *,
    log: Sequence[dict[str, str]] | None = None,
    **outcome: Any,
) -> bool:
    """End the present run with its outcome; False where the task does not run, or runs under another token."""
    changes = {"status": int(status), **outcome}
    statement = _end_statement(clock, run_count is not None, tuple(changes))
    given = {f"new_{name}": value for name, value in changes.items()}
    token = {} if run_count is None else {"held_count": run_count}
    if connection.execute(statement, {"wanted_id": task_id, **given, **token}).rowcount == 0:
        return False
    history.note_end(connection, clock, task_id, log=log)
    return True


@lru_cache(maxsize=64)
def _end_statement(clock: DatabaseClock, fenced: bool, names: tuple[str, ...]) -> Update:
    held = and_(_IS_WANTED, tasks.c.status == int(TaskStatus.RUNNING))
    if fenced:
        held = and_(held, tasks.c.run_count == bindparam("held_count"))
    changes = {name: bindparam(f"new_{name}", type_=tasks.c[name].type) for name in names}
    return update(tasks).where(held).values(**{**ended(clock, TaskStatus.FAILED), **changes})


def end_submitted(connection: Connection, clock: DatabaseClock, task_id: int, **outcome: Any) -> bool:
    """End a task that nobody has started as failed; False where it has left that state."""
    statement = (
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.status == int(TaskStatus.SUBMITTED))
        .values(**ended(clock, TaskStatus.FAILED), **outcome)
    )
    return connection.execute(statement).rowcount == 1


def request_stop(
    connection: Connection, clock: DatabaseClock, task_id: int, stop_seconds: float, reason: str | None
) -> bool:
    """Ask the present run to stop; False where nothing runs or it was asked before."""
    statement = (
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.status == int(TaskStatus.RUNNING), tasks.c.stop_requested.is_(False))
        .values(stop_requested=True, stop_until=clock.after(stop_seconds), stop_reason=reason, modify_time=clock.now())
    )
    return connection.execute(statement).rowcount == 1


def return_to_queue(
    connection: Connection,
    clock: DatabaseClock,
    task_id: int,
    run_count: int,
    *,
    lost_runs: int,
    why: str,
    log: Sequence[dict[str, str]] | None = None,
) -> bool:
    """Make a running task submitted again, due to be rung for at once; False where that run is over.

    `why` is `history.HANDED_BACK` or `history.WORKER_LOST`.
    """
    statement = (
        update(tasks)
        .where(_held(task_id, run_count))
        .values(
            status=int(TaskStatus.SUBMITTED),
            lost_runs=lost_runs,
            lease_until=None,
            owner=None,
            dispatch_at=clock.now(),
            dispatch_count=0,
            modify_time=clock.now(),
        )
    )
    if connection.execute(statement).rowcount == 0:
        return False
    history.note_end(connection, clock, task_id, given_back=why, log=log)
    return True


def end_unfinished(
    connection: Connection, clock: DatabaseClock, task_ids: Sequence[int], *, reason: str, reason_code: str
) -> int:
    """End those of the tasks that have not ended as failed, whether they run or not; return how many there were."""
    if not task_ids:
        return 0
    history.note_ends(connection, clock, task_ids, reason_code)
    live = (TaskStatus.SUBMITTED, TaskStatus.RUNNING)
    return _end_in(connection, clock, task_ids, live, reason=reason, reason_code=reason_code)


def end_unstarted(
    connection: Connection, clock: DatabaseClock, task_ids: Sequence[int], *, reason: str, reason_code: str
) -> int:
    """End those of the tasks that no run holds as failed, as the rows are now; return how many there were."""
    if not task_ids:
        return 0
    return _end_in(connection, clock, task_ids, (TaskStatus.SUBMITTED,), reason=reason, reason_code=reason_code)


def _end_in(
    connection: Connection,
    clock: DatabaseClock,
    task_ids: Sequence[int],
    statuses: Sequence[TaskStatus],
    *,
    reason: str,
    reason_code: str,
) -> int:
    statement = (
        update(tasks)
        .where(tasks.c.id.in_(task_ids), tasks.c.status.in_([int(status) for status in statuses]))
        .values(**ended(clock, TaskStatus.FAILED), reason=reason, reason_code=reason_code)
    )
    return connection.execute(statement).rowcount


def submit_again(
    connection: Connection, clock: DatabaseClock, task_id: int, *, dispatch_seconds: float, **values: Any
) -> int | None:
    """Make an ended task submitted once more; return its run_count, None where it is gone.

    It is due to be rung for in `dispatch_seconds`; `values` are further columns, such as a new input. Its id and its
    counting of runs go on, so that effects keyed by them stay keyed.
    """
    statement = (
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.status.in_(ENDED_VALUES))
        .values(
            status=int(TaskStatus.SUBMITTED),
            result=None,
            reason=None,
            reason_code=None,
            progress=None,
            end_time=None,
            owner=None,
            lost_runs=0,
            stop_requested=False,
            stop_until=None,
            stop_reason=None,
            dispatch_at=clock.after(dispatch_seconds),
            dispatch_count=0,
            modify_time=clock.now(),
            **values,
        )
    )
    if connection.execute(statement).rowcount == 0:
        return None
    return int(connection.execute(select(tasks.c.run_count).where(tasks.c.id == task_id)).scalar_one())


def in_line(queue: str, lane: str | None) -> ColumnElement[bool]:
    """Match the tasks of one lane of a queue; each is rung for by itself and has workers of its own."""
    return and_(tasks.c.queue == queue, tasks.c.lane.is_not_distinct_from(lane))


def ended(clock: DatabaseClock, status: int) -> dict[str, Any]:
    """Return the columns that every end of a task sets."""
    moment = clock.now()
    return {"status": int(status), "end_time": moment, "modify_time": moment, "lease_until": None, "dispatch_at": None}


def _startable(counted: bool) -> ColumnElement[bool]:
    """`lifecycle.may_start` in SQL."""
    submitted = tasks.c.status == int(TaskStatus.SUBMITTED)
    if counted:
        return and_(submitted, tasks.c.run_count == bindparam("expected_count"))
    return or_(submitted, and_(tasks.c.repeat.is_(True), tasks.c.status.in_(ENDED_VALUES)))


def _held(task_id: int, run_count: int | None) -> ColumnElement[bool]:
    held = and_(tasks.c.id == task_id, tasks.c.status == int(TaskStatus.RUNNING))
    return held if run_count is None else and_(held, tasks.c.run_count == run_count)


def _named(key: commands.TaskKey) -> dict[str, Any]:
    """Return what names the task, by the names of columns."""
    parts = {"id": key.task_id, "user_task_id": key.user_task_id, "station_id": key.station_id}
    return {f"wanted_{name}": value for name, value in parts.items() if value is not None}


@lru_cache(maxsize=16)
def _state_query(named: tuple[str, ...], lock: bool, clock: DatabaseClock | None) -> Select[Any]:
    columns = [*_STATE, clock.now().label("now")] if clock else _STATE
    query = select(*columns).where(*(tasks.c[name.removeprefix("wanted_")] == bindparam(name) for name in named))
    # SQLite has locked the whole database by BEGIN IMMEDIATE already and ignores this.
    return query.limit(2).with_for_update() if lock else query.limit(2)
