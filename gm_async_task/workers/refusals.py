"""What becomes of a bell that a worker gives back, as it has not the function: rung again, waited for, or ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.engine import Connection, Engine

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.tasks.followers import Endings, Follower, NoFollower, in_followed_write
from gm_async_task.tasks.meter import Ended, TaskMeter, end_of
from gm_async_task.tasks.store import TaskRow, end_submitted, get_state
from gm_async_task.workers import store
from gm_async_task.workers.lanes import Crew, choose_serve, lanes_heard
from gm_async_task.workers.release_store import read_releases
from shared.database import DatabaseClock
from shared.errors import TaskNotFound
from shared.task_api.commands import TaskKey
from shared.task_api.lanes import rung_queue
from shared.task_api.models import TaskStatus
from shared.task_api.reasons import ReasonCode, sentence
from shared.task_api.workers import RefuseTask

log = structlog.get_logger(__name__)

HAND_BACK_SECONDS = 0.5
"""when a bell that was given back is rung again, where a live worker has its function"""
ALERT_REFUSALS = 3
"""from so many refusals on somebody should look, where no live worker has the function"""


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal that counted."""

    task_id: int
    count: int
    """how often the task has been refused since it was last started"""
    rung: str | None
    """the broker queue that is rung again soon; None where no live worker has the function"""
    ended: Ended | None
    """the task, where it had waited for long enough"""


class RefusalService:
    """Decides under the row's lock about each bell that is given back."""

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
        self._meter = meter or TaskMeter()
        self._engine = engine
        self._settings = settings
        self._clock = clock

    def refuse(self, command: RefuseTask) -> bool:
        """Take a bell back from a worker without its function; return whether a live worker that hears it has it.

        While none has it the task waits, and once it has waited for long enough it ends with the reason. Nothing
        happens to a task that has another name or is not waiting: whoever can write to the broker rings for anything.
        """
        refused = in_followed_write(
            self._engine, self._follower, lambda connection, endings: self._refuse(connection, command, endings)
        )
        if refused is None:
            return False
        self._meter.ended(refused.ended)
        facts = {"task_id": refused.task_id, "name": command.task_name, "worker": command.worker}
        if refused.rung is not None:
            log.info("task_handed_back", **facts, refused=refused.count, queue=refused.rung)
        elif refused.count < ALERT_REFUSALS:
            log.info("task_unknown", **facts, refused=refused.count)
        else:
            log.error("task_unknown", **facts, refused=refused.count)
        return refused.rung is not None

    def _refuse(self, connection: Connection, command: RefuseTask, endings: Endings) -> Refused | None:
        row = self._find_refused(connection, command)
        if row is None:
            return None
        ended = None
        queue = row.queue or command.queue
        lanes = lanes_heard(queue, row.lane, self._heard(connection, row.name)) if queue else []
        if queue and lanes:
            self._hand_back(connection, row, queue, lanes[0])
        elif self._has_waited(connection, row):
            reason = sentence(ReasonCode.UNKNOWN_FUNCTION, self._settings.language, name=row.name)
            outcome = {"reason": reason, "reason_code": ReasonCode.UNKNOWN_FUNCTION}
            end_submitted(connection, self._clock, row.id, **outcome)
            endings.note(row.id)
            ended = end_of(row, TaskStatus.FAILED, ReasonCode.UNKNOWN_FUNCTION)
        else:
            self._let_wait(connection, row, queue)
        rung = rung_queue(queue, lanes[0]) if queue and lanes else None
        return Refused(row.id, row.refused_count + 1, rung, ended)

    def _find_refused(self, connection: Connection, command: RefuseTask) -> TaskRow | None:
        """Return the task, locked, where it waits for the function that was refused."""
        try:
            row = get_state(connection, TaskKey(task_id=command.task_id), lock=True)
        except TaskNotFound:
            return None
        return row if row.status == TaskStatus.SUBMITTED and row.name == command.task_name else None

    def _heard(self, connection: Connection, name: str) -> set[str]:
        """Return the broker queues that live workers with the function `name` hear."""
        live = store.list_live(connection, self._clock, self._settings.silent_seconds)
        releases = read_releases(connection, self._settings.zone)
        crews = [Crew(row.version, row.queues) for row in live]
        knowing = [crew for crew, row in zip(crews, live, strict=True) if name in row.functions]
        return {queue for crew in knowing for queue in choose_serve(crew, releases, crews)}

    def _hand_back(self, connection: Connection, row: TaskRow, queue: str, lane: str | None) -> None:
        """Have it rung again soon, however often that was, in a lane where it is known."""
        due = {"dispatch_at": self._clock.after(HAND_BACK_SECONDS), "dispatch_count": 0}
        store.note_refusal(connection, row.id, queue=queue, lane=lane, refused_at=None, **due)

    def _has_waited(self, connection: Connection, row: TaskRow) -> bool:
        """Tell whether its grace time is over, which begins with the first refusal that nobody could make good."""
        now = connection.execute(select(self._clock.now().label("now"))).scalar_one()
        grace = timedelta(seconds=self._settings.unknown_name_seconds)
        return row.refused_at is not None and bool(row.refused_at + grace <= now)

    def _let_wait(self, connection: Connection, row: TaskRow, queue: str | None) -> None:
        """Leave it to be rung for with the usual pauses, also where nobody was to ring for it before."""
        adopted = {"queue": queue, "dispatch_at": self._clock.after(self._settings.ring_after_seconds)}
        since = store.refused_since(self._clock)
        store.note_refusal(connection, row.id, refused_at=since, **({} if row.queue else adopted))
