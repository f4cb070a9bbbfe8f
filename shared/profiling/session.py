"""One profiled request, task run, script or call: what is watched meanwhile, and the record that it leaves.

Knows no database: those who have one make ready to tell of their statements (`present.when_first_profiled`).
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import structlog

from shared.context import new_id
from shared.profiling.ledger import Ledger
from shared.profiling.memory import MemoryWatch, NoMemoryWatch
from shared.profiling.present import current_session, prepare_all, watch_by
from shared.profiling.recorders import CallRecorder, Recorder, SampleRecorder
from shared.profiling.store import ProfileStore, Record

log = structlog.get_logger(__name__)
Kind = Literal["request", "task", "script", "call"]
Explain = Callable[[], "list[dict[str, Any]] | None"]
_MOST_EXPLAINED = 200
_EXPLAIN_SECONDS = 5.0
"""whoever waits for what was profiled waits for its plans too"""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is profiled."""

    kind: Kind
    name: str
    """`POST /station/orders`, or a function's dotted path"""
    way: str
    request_id: str = ""
    task_id: int | None = None
    run_count: int | None = None
    parent: str = ""
    """the record of the run that called this request or script"""


@dataclass
class Session:
    """Watches from `start` until `finish`, both on one thread; `store` keeps what it saw."""

    subject: Subject
    store: ProfileStore
    key: str = ""
    """the operator's, with which the calls that are made meanwhile are profiled too; empty: they are not"""
    id: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{new_id()[:10]}")
    ledger: Ledger = field(default_factory=Ledger)
    to_explain: list[Explain] = field(default_factory=list)
    _outer: Session | None = None
    _has_begun: bool = False

    def start(self) -> None:
        """Begin to watch. Never raises: what can't be watched runs unwatched."""
        self._outer = current_session()
        try:
            self._start()
        except Exception:
            watch_by(self._outer)
            log.exception("profile_not_begun", name=self.subject.name, way=self.subject.way)
        else:
            self._has_begun = True

    def finish(self, failed: bool = False) -> None:
        """Stop, ask the database for the plans, and write the record. Never raises: the work is done, and counts."""
        if not self._has_begun:
            return
        self._has_begun = False
        watch_by(None)  # the questions for plans are nobody's
        try:
            self._keep(self._stop(failed))
        except Exception:
            log.exception("profile_not_kept", name=self.subject.name)
        finally:
            watch_by(self._outer)

    def _start(self) -> None:
        prepare_all()
        self._started_at = datetime.now(UTC)
        self._memory = MemoryWatch() if self.subject.way == "memory" else NoMemoryWatch()
        self._recorder = _make_recorder(self.subject.way)
        self._began, self._cpu = time.perf_counter(), time.thread_time()
        watch_by(self)
        if self._recorder is not None:
            self._recorder.resume()

    def _stop(self, failed: bool) -> Record:
        if self._recorder is not None:
            self._recorder.pause()
        cpu_seconds, seconds = time.thread_time() - self._cpu, time.perf_counter() - self._began
        return {
            "id": self.id,
            "kind": self.subject.kind,
            "name": self.subject.name,
            "way": self.subject.way,
            "request_id": self.subject.request_id,
            "task_id": self.subject.task_id,
            "run_count": self.subject.run_count,
            "parent": self.subject.parent,
            "started_at": self._started_at.isoformat(),
            "seconds": seconds,
            "cpu_seconds": cpu_seconds,
            "failed": failed,
            "process": f"{os.path.basename(sys.argv[0]) or 'python'} {os.getpid()}@{socket.gethostname()}",  # noqa: PTH119
            "memory": self._memory.finish(),
            "ledger": self.ledger.to_json(),
            "scans": _find_scans(self.to_explain[:_MOST_EXPLAINED]),
        }

    def _keep(self, record: Record) -> None:
        try:
            self.store.keep(record, self._recorder.table() if self._recorder is not None else None)
            log.info("profile_kept", profile=self.id, name=self.subject.name, way=self.subject.way)
        except OSError as error:
            log.warning("profile_not_kept", name=self.subject.name, problem=str(error))


@contextmanager
def watching(subject: Subject, store: ProfileStore, key: str = "") -> Iterator[Session]:
    """Profile the block; what it raises goes on."""
    session = Session(subject, store, key)
    session.start()
    try:
        yield session
    except BaseException:
        session.finish(failed=True)
        raise
    session.finish()


def _find_scans(explanations: Sequence[Explain]) -> list[dict[str, Any]]:
    """Ask for the plans, until the database is away or it takes too long."""
    until = time.monotonic() + _EXPLAIN_SECONDS
    found: list[dict[str, Any]] = []
    for explain in explanations:
        scans = _ask(explain) if time.monotonic() < until else None
        if scans is None:
            log.warning("plans_left_out", statements=len(explanations))
            break
        found += scans
    return found


def _ask(explain: Explain) -> list[dict[str, Any]] | None:
    try:
        return explain()
    except Exception as error:  # what was profiled has done its work, and must not fail for this
        log.warning("plan_not_read", problem=repr(error))
        return []


def _make_recorder(way: str) -> Recorder | None:
    if way == "cprofile":
        return CallRecorder()
    return SampleRecorder() if way == "sample" else None
