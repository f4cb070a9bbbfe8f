"""A worker claims a task of a job in the very moment in which the job ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gm_async_task.workflow import store
from shared.errors import StaleRun
from tests.support.job_client import FILES, task
from tests.support.jobs import JobDesk, make_desk


def create(desk: JobDesk, *tasks: dict[str, Any], **extra: Any) -> int:
    """Create a job of the given tasks (tests/support/job_files/plugins)."""
    return desk.create("graph", job_extra={"tasks": list(tasks), **extra})


@pytest.fixture
def raced_desk(make_database_url: Callable[[str], str], plugin_dir: Path) -> Iterator[JobDesk]:
    """The API on MariaDB alone: SQLite lets nobody claim while another one writes."""
    (plugin_dir / "graphs.py").write_text((FILES / "plugins" / "graphs.py").read_text())
    desk = make_desk(make_database_url("mariadb"), plugin_dirs=[plugin_dir], lease_seconds=60)
    yield desk
    desk.engine.dispose()


@pytest.fixture
def claimed_meanwhile(raced_desk: JobDesk, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Have a worker claim the next task once a job that ends has looked which of its tasks nobody claimed."""
    list_runs, claimed = store.list_runs, []

    def list_and_claim(*arguments: Any) -> list[int]:
        rows = list_runs(*arguments)
        with ThreadPoolExecutor(1) as worker:
            claimed.append(worker.submit(raced_desk.claim).result())
        return rows

    monkeypatch.setattr(store, "list_runs", list_and_claim)
    return claimed


def test_what_is_claimed_while_its_job_fails_goes_on_under_its_lock_and_is_recorded(
    raced_desk: JobDesk, claimed_meanwhile: list[Any]
) -> None:
    job_id = create(raced_desk, task("a"), task("b", "/x/b"), job_locks="one")
    wanted = {"job_namespace": "S001", "job_type": "graph", "job_extra": {"tasks": [task("a")], "job_locks": "one"}}
    first = raced_desk.claim()
    assert first is not None

    raced_desk.finish(first[0], "ERR_OWN", {})
    during = raced_desk.call("create_job", **wanted)["stat"]
    raced_desk.finish(claimed_meanwhile[0][0], "OK", {})
    after = raced_desk.call("create_job", **wanted)["stat"]

    assert raced_desk.states(job_id) == {"a": "failed", "b": "finished"}
    assert (during, after) == ("ERR_JOB_LOCKED", "OK")


def test_what_is_claimed_while_its_job_is_found_over_time_is_fenced_off(
    raced_desk: JobDesk, claimed_meanwhile: list[Any]
) -> None:
    job_id = create(raced_desk, task("a"), job_timeout=30)

    raced_desk.sweep_after(31)

    with pytest.raises(StaleRun):
        raced_desk.finish(claimed_meanwhile[0][0], "OK", {})
    assert raced_desk.detail(job_id)["ret_stat"] == "ERR_JOB_EXE_TIMEOUT"
    assert "finished" not in raced_desk.states(job_id).values()
