"""Tells plugins that a job started, finished or failed: kept with the change itself, delivered after it.

At least once, in the order in which it happened; a plugin's error is logged and the notice tried again, a few times.
"""

from __future__ import annotations

import json
import threading
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection, Engine

from gm_async_task.workflow.models import notices
from gm_async_task.workflow.plugins import Plugins
from gm_async_task.workflow.runner import WorkflowRunner
from gm_async_task.workflow.store import JobRow
from gm_async_task.workflow.wire import JobObject, job_object
from shared.database import DatabaseClock, in_read, in_write
from shared.errors import PlatformError
from shared.web import strict_json

log = structlog.get_logger(__name__)
CLAIM_SECONDS = 60
"""after so long another process tries a notice again whose deliverer was lost"""
MAX_TRIES = 5


class Notifier:
    """Keeps notices with the change that causes them, and delivers them in a thread of its own."""

    def __init__(self, engine: Engine, clock: DatabaseClock, plugins: Plugins, zone: ZoneInfo) -> None:
        self._engine = engine
        self._clock = clock
        self._plugins = plugins
        self._zone = zone
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._woken = threading.Event()

    def is_wanted(self, job_type: str) -> bool:
        """Tell whether the plugin behind a job type wants to be told; one that is gone may come back."""
        plugin = self._plugins.find(job_type)
        return plugin is None or not _is_silent(plugin)

    def keep(self, connection: Connection, job: JobRow) -> None:
        """Keep a notice of the job as it is now."""
        connection.execute(
            insert(notices).values(
                job_id=job.job_id,
                job_type=job.job_type,
                job=strict_json.dumps(job_object(job, self._zone)),
                tries=0,
                due_at=self._clock.now(),
            )
        )

    def wake(self) -> None:
        """Have what is due delivered soon, by this process's thread."""
        self._woken.set()
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="notifier", daemon=True)
                self._thread.start()

    def has_due(self) -> bool:
        """Tell whether a notice waits to be delivered."""
        query = select(notices.c.notice_id).where(notices.c.due_at <= self._clock.now()).limit(1)
        return in_read(self._engine, lambda connection: connection.execute(query).first()) is not None

    def forget_job(self, connection: Connection, job_id: int) -> None:
        """Forget what was still to be told of a job."""
        connection.execute(delete(notices).where(notices.c.job_id == job_id))

    def deliver_due(self) -> int:
        """Deliver every notice that is due now; return how many."""
        delivered = 0
        while (notice := self._claim()) is not None:
            delivered += self._deliver(notice)
        return delivered

    def _work(self) -> None:
        while True:
            self._woken.wait()
            self._woken.clear()
            try:
                self.deliver_due()
            except PlatformError as error:  # the keeper's next sweep wakes somebody again
                log.warning("notices_postponed", problem=str(error))
            except Exception:
                log.exception("notices_failed")

    def _claim(self) -> Any:
        """Take the oldest due notice that no older one of its job stands before."""
        older = notices.alias()
        stands_before = (
            select(older.c.notice_id)
            .where(older.c.job_id == notices.c.job_id, older.c.notice_id < notices.c.notice_id)
            .exists()
        )
        query = (
            select(notices)
            .where(notices.c.due_at <= self._clock.now(), ~stands_before)
            .order_by(notices.c.notice_id)
            .limit(1)
        )

        def claim(connection: Connection) -> tuple[Any, bool]:
            notice = connection.execute(query).one_or_none()
            if notice is None:
                return None, True
            taken = connection.execute(
                update(notices)
                .where(notices.c.notice_id == notice.notice_id, notices.c.tries == notice.tries)
                .values(tries=notice.tries + 1, due_at=self._clock.after(CLAIM_SECONDS))
            )
            return notice, taken.rowcount == 1

        while True:
            notice, is_ours = in_write(self._engine, claim)
            if is_ours:
                return notice

    def _deliver(self, notice: Any) -> bool:
        if notice.tries >= MAX_TRIES:  # whoever tried never came back: it hangs, or ends its process
            self._give_up(notice)
            return False
        try:
            plugin = self._plugins.find(notice.job_type)
            if plugin is None:
                raise LookupError(f"no plugin offers {notice.job_type}")
            plugin.job_notifier(JobObject(**json.loads(notice.job)))
        except (Exception, SystemExit) as error:  # a plugin's error hurts nobody
            self._postpone(notice, error)
            return False
        self._forget(notice)
        return True

    def _postpone(self, notice: Any, error: BaseException) -> None:
        tries = notice.tries + 1
        log.warning("notifier_failed", job_id=notice.job_id, tries=tries, problem=str(error)[:500], exc_info=error)
        if tries >= MAX_TRIES:
            self._give_up(notice)
            return
        later = update(notices).where(notices.c.notice_id == notice.notice_id)
        statement = later.values(due_at=self._clock.after(2.0**tries))
        in_write(self._engine, lambda connection: connection.execute(statement))

    def _give_up(self, notice: Any) -> None:
        log.error("notice_given_up", job_id=notice.job_id, job_type=notice.job_type)
        self._forget(notice)

    def _forget(self, notice: Any) -> None:
        statement = delete(notices).where(notices.c.notice_id == notice.notice_id)
        in_write(self._engine, lambda connection: connection.execute(statement))


def _is_silent(plugin: type[WorkflowRunner]) -> bool:
    told: Any = plugin.job_notifier  # a plain function where its @classmethod was forgotten
    return getattr(told, "__func__", told) is WorkflowRunner.job_notifier.__func__  # type: ignore[attr-defined]
