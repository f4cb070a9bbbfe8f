"""Gives an export to a worker once: asked for again while it is under way, the request joins the task that makes it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from gm_service.orders.exports import store
from gm_service.orders.query import ExportRequest
from shared.database import in_read, in_write
from shared.errors import TaskNotFound, Unavailable
from shared.task_api.client import TaskClient
from shared.task_api.models import ENDED, AddedTask, Task
from shared.web import strict_json

_TRIES = 5
Submit = Callable[[str], AddedTask]
"""Adds the export's task under the given id of its own and has it started."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The task that makes an export."""

    task_id: int
    is_joined: bool
    """somebody had asked for it before"""


def submit_once(engine: Engine, task_client: TaskClient, request: ExportRequest, submit: Submit) -> Joined:
    """Return the task that is making this very export, or have one made.

    The new task's own id follows from the request and from the task that made it last, so that of any number of
    people who ask at the same moment all get the same task.

    Raises:
        Unavailable: the task service is away, or others ended as many tasks as we tried.
    """
    sha256 = hashlib.sha256(strict_json.dumps(request.to_json()).encode()).hexdigest()
    station_id = request.station_id
    last = in_read(engine, partial(store.find_last_task, station_id=station_id, sha256=sha256))
    known = None if last is None else _find(task_client, station_id, task_id=last)
    for _ in range(_TRIES):
        if known is not None and known.status not in ENDED and not known.stop_requested:
            _note(engine, station_id, sha256, known.task_id)
            return Joined(known.task_id, True)
        last = known.task_id if known is not None else last
        key = f"export-{sha256[:32]}-{last or 0}"
        # Under that id may stand a task already, where whoever added it died before it was noted.
        known = _find(task_client, station_id, user_task_id=key)
        if known is None:
            added = submit(key)
            _note(engine, station_id, sha256, added.task_id)
            return Joined(added.task_id, False)
    raise Unavailable(what="task service")


def _find(task_client: TaskClient, station_id: str, **key: Any) -> Task | None:
    try:
        return task_client.get(**key, station_id=station_id, brief=True)
    except TaskNotFound:  # never was, or was deleted when its time was over
        return None


def _note(engine: Engine, station_id: str, sha256: str, task_id: int) -> None:
    note = partial(store.note_last_task, station_id=station_id, sha256=sha256, task_id=task_id)
    try:
        in_write(engine, note)
    except IntegrityError:
        in_write(engine, note)
