"""Profiles runs of tasks: those that were marked, and every n-th; what they call is profiled with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from shared.context import current_request_id
from shared.profiling.plan import ProfilePlan
from shared.profiling.present import PROFILED_RUN, current_session
from shared.profiling.session import Subject, watching
from shared.profiling.store import ProfileStore
from shared.profiling.switch import FOLDER, limits_in

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ProfiledRuns:
    """Stands around the functions of a worker."""

    plan: ProfilePlan

    def run(self, name: str, task_id: int, run_count: int, body: Callable[[], Result]) -> Result:
        """Return what `body` returns, profiled where this run is to be."""
        way = self._way(name, task_id)
        if way is None:
            return body()
        subject = Subject("task", name, way, current_request_id() or "", task_id, run_count)
        with watching(subject, self.plan.store, self.plan.key):
            return body()

    def _way(self, name: str, task_id: int) -> str | None:
        marked = self.plan.store.take_mark(str(task_id)) or self.plan.store.take_mark(name)
        return marked or self.plan.way_of_nth(name)


def environment_of_run() -> dict[str, str]:
    """Return the variables by which a profiled run has the script profiled that it starts; none outside of one."""
    session = current_session()
    if session is None:
        return {}
    told = {"way": session.subject.way, "parent": session.id, "request_id": session.subject.request_id}
    return {PROFILED_RUN: json.dumps(told), FOLDER: str(session.store.folder.absolute())}


@contextmanager
def profiled_script(name: str, task_id: int, run_count: int, environment: Mapping[str, str]) -> Iterator[None]:
    """Profile a script that a profiled run started."""
    told = json.loads(environment[PROFILED_RUN])
    subject = Subject("script", name, told["way"], told["request_id"], task_id, run_count, told["parent"])
    store = ProfileStore(Path(environment[FOLDER]), limits_in(environment))
    with watching(subject, store):
        yield
