"""How jobs advance: parameters, results, failures, tries, retries, deletes, locks, time limits, notices."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from gm_async_task.workflow.models import locks, notices, tasks
from gm_async_task.workflow.notices import MAX_TRIES
from gm_async_task.workflow.wire import JobObject
from shared.errors import NotStartable, StaleRun
from tests.support.job_client import FILES, task
from tests.support.jobs import JobDesk, make_desk, write_plugin
from tests.support.waiting import wait_for

FAR_OFF = datetime(2100, 1, 1)
DEMO_HELLO = {"str_info": "hi"}


@pytest.fixture(autouse=True)
def graphs(plugin_dir: Path) -> None:
    """Let jobs be any graph (tests/support/job_files/plugins)."""
    (plugin_dir / "graphs.py").write_text((FILES / "plugins" / "graphs.py").read_text())


def create(desk: JobDesk, *tasks: dict[str, Any], **extra: Any) -> int:
    """Create a job of the given tasks."""
    return desk.create("graph", job_extra={"tasks": list(tasks), **extra})


def fail_at(cmd: str, stat: str = "ERR_OWN") -> Any:
    """Return a worker that fails where a handler is called."""
    return lambda given: (stat, {}) if given["handler"] == cmd else ("OK", {})


def test_a_job_finishes_task_by_task(desk: JobDesk) -> None:
    job_id = desk.create("ping")

    desk.work()

    job = desk.detail(job_id)
    assert (job["job_status"], job["ret_stat"], job["ret_data"]) == ("finished", "OK", {})
    assert desk.states(job_id) == {"task1": "finished", "task2": "finished"}
    assert job["exe_id"] == 3, "at its creation, and at each end"
    assert [given["req"]["username"] for given in desk.ran] == ["-", "-"]


def test_the_shipped_hello_collects_and_saves(desk: JobDesk) -> None:
    job_id = desk.create("hello", job_extra=DEMO_HELLO)

    desk.work()

    saved = [{"stat": "OK", "str_info": "hi"}, {"stat": "OK", "randstr": "abc"}]
    assert desk.detail(job_id)["ret_data"] == saved
    assert [given["params"] for given in desk.ran] == [DEMO_HELLO, {}, {"all_taskdata": saved}]


def test_a_task_is_started_while_a_worker_has_it(desk: JobDesk) -> None:
    job_id = desk.create("ping")

    claimed = desk.claim()

    assert claimed is not None
    assert desk.states(job_id)["task1"] == "started"
    assert desk.call("list_tasks", job_id=job_id, task_status="started")["data"]["list"]


def test_parameters_come_from_dependencies_then_task_then_job(desk: JobDesk) -> None:
    create(
        desk,
        task("a", "/demo_api/hello", params={"str_info": "from a"}),
        task("b", "/x/y", "a", requires=["str_info", "t", "j"], extra={"t": "from task", "str_info": "no"}),
        j="from job",
        t="no",
        str_info="no",
    )

    desk.work()

    assert desk.ran[1]["params"] == {"str_info": "from a", "t": "from task", "j": "from job"}


def test_only_the_saved_task_fills_the_jobs_result(desk: JobDesk) -> None:
    job_id = create(
        desk,
        task("a", "/x/a", is_save=True),
        task("b", "/x/b", "a"),
        task("c", "/x/c", "b", is_save=True),
    )

    desk.work(lambda given: ("OK", {"said": given["handler"]}))

    assert desk.detail(job_id)["ret_data"] == {"said": "/x/c"}


def test_both_parents_must_finish_and_the_child_runs_once(desk: JobDesk) -> None:
    create(desk, task("a"), task("b"), task("c", "/x/c", "a", "b"))
    claims = [desk.claim(), desk.claim()]

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(lambda claimed: desk.finish(claimed[0], "OK", {}), claims))  # type: ignore[index]
    desk.work()

    assert [given["handler"] for given in desk.ran].count("/x/c") == 1


def test_fifty_parallel_tasks_are_collected_in_their_order(desk: JobDesk) -> None:
    labels = [f"t{number}" for number in range(50)]
    parallel = [task(label, "/x/n", params={"n": number}) for number, label in enumerate(labels)]
    plugin_extra = {
        "tasks": [*parallel, task("c", "/demo_api/collect", *labels, requires=["all_taskdata"], is_save=True)]
    }
    job_id = desk.create("graph", job_extra=plugin_extra)

    def work(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        params = given["params"]
        return "OK", ({"data": params["all_taskdata"]} if "all_taskdata" in params else params)

    desk.work(work)

    assert [each["n"] for each in desk.detail(job_id)["ret_data"]] == list(range(50))


@pytest.mark.parametrize(
    ("handler", "stat"),
    [
        (lambda _: ("ERR_OWN", {"why": 1}), "ERR_OWN"),
        (lambda _: ("ERR_BAD_PARAMS", {}), "ERR_BAD_PARAMS"),
        (lambda _: ("ERR_HANDLER_NOT_EXISTS", {}), "ERR_HANDLER_NOT_EXISTS"),
    ],
)
def test_a_failed_task_fails_its_job_and_what_has_not_started_stays(desk: JobDesk, handler: Any, stat: str) -> None:
    job_id = desk.create("ping")

    desk.work(handler)

    job = desk.detail(job_id)
    failed = desk.task_rows(job_id)[0]
    assert (job["job_status"], job["ret_stat"]) == ("failed", stat)
    assert (failed["task_status"], failed["ret_stat"]) == ("failed", stat)
    assert desk.states(job_id)["task2"] == "waiting"


def test_a_missing_required_key_fails_the_task_without_a_run_and_uses_its_tries_up(desk: JobDesk) -> None:
    job_id = create(desk, task("a", requires=["nobody_has_it"], retrymax=3))

    assert (desk.detail(job_id)["job_status"], desk.detail(job_id)["ret_stat"]) == ("failed", "ERR_TASK_REQUIRES")
    assert desk.task_rows(job_id)[0]["task_retrycount"] == 3
    assert desk.queue.rung == []
    assert "nobody_has_it" in desk.task_rows(job_id)[0]["ret_data"]


def test_a_broken_promise_fails_the_task(desk: JobDesk) -> None:
    job_id = create(desk, task("a", provides=["promised"]))

    desk.work(lambda _: ("OK", {"other": 1}))

    assert desk.detail(job_id)["ret_stat"] == "ERR_TASK_PROVIDES"


def test_tries_are_made_after_a_pause_and_counted(desk: JobDesk) -> None:
    job_id = create(desk, task("a", retrymax=2))

    desk.work(fail_at("/demo_api/ping"))
    between = (desk.detail(job_id)["job_status"], desk.states(job_id)["a"], list(desk.queue.rung))
    desk.sweep_after(1.1)
    desk.work(fail_at("/demo_api/ping"))
    desk.sweep_after(2.1)
    desk.work()

    assert between == ("started", "pending", [])
    assert desk.detail(job_id)["job_status"] == "finished"
    assert desk.task_rows(job_id)[0]["task_retrycount"] == 2
    assert len(desk.ran) == 3


def test_a_task_that_keeps_failing_fails_the_job_at_last(desk: JobDesk) -> None:
    job_id = create(desk, task("a", retrymax=1))

    desk.work(fail_at("/demo_api/ping"))
    desk.sweep_after(1.1)
    desk.work(fail_at("/demo_api/ping"))

    assert (desk.detail(job_id)["ret_stat"], len(desk.ran)) == ("ERR_OWN", 2)


def test_a_retried_job_runs_what_failed_and_not_what_finished(desk: JobDesk) -> None:
    job_id = create(desk, task("a", "/x/a"), task("b", "/x/b", "a"), task("c", "/x/c", "b"))
    desk.work(fail_at("/x/b"))

    answer = desk.call("retry_job", job_id=job_id)
    restarted = desk.task_rows(job_id)[1]
    desk.work()

    assert answer == {"stat": "OK", "job_id": job_id}
    assert (restarted["ret_stat"], restarted["task_retrycount"], restarted["task_cost"]) == ("", 0, 0)
    assert desk.detail(job_id)["job_status"] == "finished"
    assert [given["handler"] for given in desk.ran] == ["/x/a", "/x/b", "/x/b", "/x/c"]


@pytest.mark.parametrize("stat", ["started", "finished"])
def test_only_failed_jobs_are_retried(desk: JobDesk, stat: str) -> None:
    job_id = desk.create("ping")
    if stat == "finished":
        desk.work()

    answer = desk.call("retry_job", job_id=job_id)

    assert (answer["stat"], answer["job_id"]) == ("ERR_JOB_STATUS_NOT_FAILED", job_id)


def test_of_twenty_retries_one_is_ok_and_the_task_runs_once_more(desk: JobDesk) -> None:
    job_id = desk.create("ping")
    desk.work(fail_at("/demo_api/ping"))

    with ThreadPoolExecutor(20) as callers:
        body = json.dumps({"job_id": job_id})
        stats = list(callers.map(lambda _: desk.send("retry_job", body).json["stat"], range(20)))
    desk.work()

    assert sorted(stats) == ["ERR_JOB_STATUS_NOT_FAILED"] * 19 + ["OK"]
    assert len(desk.ran) == 3, "task1 twice, task2 once"


def test_a_sibling_that_runs_on_is_recorded_and_not_run_again(desk: JobDesk) -> None:
    job_id = create(desk, task("a", "/x/a"), task("b", "/x/b"), task("c", "/x/c", "a", "b"))
    first, second = desk.claim(), desk.claim()
    assert first is not None and second is not None

    desk.finish(first[0], "ERR_OWN", {})
    failed = desk.detail(job_id)["job_status"]
    desk.finish(second[0], "OK", {"kept": 1})
    desk.call("retry_job", job_id=job_id)
    desk.work()

    assert failed == "failed"
    assert desk.detail(job_id)["job_status"] == "finished"
    assert [given["handler"] for given in desk.ran] == ["/x/a", "/x/b", "/x/a", "/x/c"]


def test_a_job_that_failed_withdraws_what_nobody_has_started(desk: JobDesk) -> None:
    job_id = create(desk, task("a", "/x/a"), task("b", "/x/b"))
    bells = list(desk.queue.rung)
    first = desk.claim()
    assert first is not None

    desk.finish(first[0], "ERR_OWN", {})

    assert desk.states(job_id)["b"] == "pending"
    with pytest.raises(NotStartable):
        desk.tasks.start(bells[1][0], expect_run_count=0)
    desk.call("retry_job", job_id=job_id)
    desk.work()
    assert desk.detail(job_id)["job_status"] == "finished"


def test_a_deleted_job_is_gone_and_its_handler_is_fenced_off(desk: JobDesk) -> None:
    job_id = create(desk, task("a"), task("b", "/x/b", "a"), job_locks="one")
    claimed = desk.claim()
    assert claimed is not None

    assert desk.call("delete_job", job_id=job_id)["stat"] == "OK"

    assert desk.call("get_job_detail", job_id=job_id)["stat"] == "ERR_JOB_NOT_EXIST"
    with pytest.raises(StaleRun):
        desk.finish(claimed[0], "OK", {})
    assert desk.queue.rung == []
    assert create(desk, task("a"), job_locks="one") != job_id


def test_a_lock_is_held_by_one_job_until_it_ends(desk: JobDesk) -> None:
    holder = create(desk, task("a"), job_locks="one,two")
    graph = {"tasks": [task("a")], "job_locks": "two"}

    refused = desk.call("create_job", job_namespace="S001", job_type="graph", job_extra=graph, job_name="next")
    other = create(desk, task("a"), job_locks="three")
    desk.work()
    accepted = desk.call("create_job", job_namespace="S001", job_type="graph", job_extra=graph, job_name="next")

    assert (refused["stat"], refused["job_id"]) == ("ERR_JOB_LOCKED", holder)
    assert desk.detail(other)["job_lock"] == "three"
    assert accepted["stat"] == "OK"


def test_of_twenty_jobs_under_one_lock_one_is_created(desk: JobDesk) -> None:
    body = json.dumps({"job_namespace": "S001", "job_type": "hello_lock", "job_extra": DEMO_HELLO})

    with ThreadPoolExecutor(20) as callers:
        stats = list(callers.map(lambda _: desk.send("create_job", body).json["stat"], range(20)))

    assert sorted(stats) == ["ERR_JOB_LOCKED"] * 19 + ["OK"]
    assert desk.call("list_jobs")["data"]["total"] == 1


def test_a_retry_takes_its_locks_again_or_stays_failed(desk: JobDesk) -> None:
    job_id = create(desk, task("a"), job_locks="one")
    desk.work(fail_at("/demo_api/ping"))
    holder = create(desk, task("a"), job_locks="one")

    refused = desk.call("retry_job", job_id=job_id)
    still = desk.detail(job_id)["job_status"]
    desk.work()
    accepted = desk.call("retry_job", job_id=job_id)

    assert (refused["stat"], refused["job_id"], still) == ("ERR_JOB_LOCKED", holder, "failed")
    assert accepted["stat"] == "OK"


def test_a_failed_job_keeps_its_locks_while_a_handler_works_under_them(desk: JobDesk) -> None:
    create(desk, task("a", "/x/a"), task("b", "/x/b"), job_locks="one")
    first, second = desk.claim(), desk.claim()
    assert first is not None and second is not None
    wanted = {"job_namespace": "S001", "job_type": "graph", "job_extra": {"tasks": [task("a")], "job_locks": "one"}}

    desk.finish(first[0], "ERR_OWN", {})
    during = desk.call("create_job", **wanted)["stat"]
    desk.finish(second[0], "OK", {})
    after = desk.call("create_job", **wanted)["stat"]

    assert (during, after) == ("ERR_JOB_LOCKED", "OK")


def test_a_job_over_time_fails_without_any_worker(desk: JobDesk) -> None:
    job_id = create(desk, task("a"), job_timeout=30, job_locks="one")

    desk.sweep_after(29)
    before = desk.detail(job_id)["job_status"]
    desk.sweep_after(2)

    job = desk.detail(job_id)
    assert (before, job["job_status"], job["ret_stat"]) == ("started", "failed", "ERR_JOB_EXE_TIMEOUT")
    assert create(desk, task("a"), job_locks="one") != job_id


def test_what_runs_when_its_job_is_over_time_is_fenced_off(desk: JobDesk) -> None:
    job_id = create(desk, task("a", timeout=1000), task("b", "/x/b", "a"), job_timeout=30)
    claimed = desk.claim()
    assert claimed is not None

    desk.sweep_after(31)

    with pytest.raises(StaleRun):
        desk.finish(claimed[0], "OK", {"late": True})
    assert desk.states(job_id) == {"a": "failed", "b": "waiting"}
    desk.call("retry_job", job_id=job_id)
    desk.work()
    assert desk.detail(job_id)["job_status"] == "finished"


@pytest.mark.parametrize("stat", ["OK", "ERR_OWN"])
def test_an_end_that_comes_after_the_jobs_time_changes_nothing(desk: JobDesk, stat: str) -> None:
    job_id = create(desk, task("a", is_save=True), task("b", dependencies=["a"]), job_timeout=100)
    claimed = desk.claim()
    assert claimed is not None

    desk.clock.offset_seconds += 101
    desk.finish(claimed[0], stat, {"late": True})

    job = desk.detail(job_id)
    assert (job["job_status"], job["ret_stat"], job["ret_data"]) == ("failed", "ERR_JOB_EXE_TIMEOUT", {})
    assert desk.states(job_id) == {"a": "failed", "b": "waiting"}


def test_a_task_over_its_time_is_ended_and_tried_again(desk: JobDesk) -> None:
    job_id = create(desk, task("a", timeout=5, retrymax=1), job_timeout=1000)
    claimed = desk.claim()
    assert claimed is not None

    desk.sweep_after(6)
    after_one = desk.task_rows(job_id)[0]
    desk.sweep_after(2)
    again = desk.claim()
    desk.sweep_after(6)

    assert (after_one["task_status"], after_one["ret_stat"]) == ("pending", "ERR_TASK_TIMEOUT")
    assert again is not None and again[0].run_count == 2
    assert desk.detail(job_id)["ret_stat"] == "ERR_TASK_TIMEOUT"


def test_a_lost_worker_is_another_attempt_of_the_same_task(desk: JobDesk) -> None:
    job_id = desk.create("ping")
    lost = desk.claim()
    assert lost is not None

    desk.sweep_after(61)
    desk.work()

    assert desk.detail(job_id)["job_status"] == "finished"
    with pytest.raises(StaleRun):
        desk.finish(lost[0], "OK", {})
    assert len(desk.ran) == 3


def test_a_task_whose_workers_always_die_fails_the_job(desk: JobDesk) -> None:
    job_id = desk.create("ping")

    for _ in range(3):
        desk.claim()
        desk.sweep_after(61)

    assert (desk.detail(job_id)["job_status"], desk.detail(job_id)["ret_stat"]) == ("failed", "ERR_SERVER_EXCEPTION")


def test_a_run_handed_back_in_a_deploy_goes_on_elsewhere(desk: JobDesk) -> None:
    job_id = desk.create("ping")
    claimed = desk.claim()
    assert claimed is not None

    desk.tasks.release(claimed[0].task_id, run_count=claimed[0].run_count, lost=False)
    desk.sweep_after(0)
    desk.work()

    assert desk.detail(job_id)["job_status"] == "finished"


def test_a_dotted_task_function_is_dispatched_by_its_own_name(desk: JobDesk) -> None:
    job_id = create(desk, task("a", "demo.work", params={"n": 1}), task("b", "/x/b", "a", requires=["rows"]))
    task_id, _ = desk.queue.rung.pop(0)

    started = desk.tasks.start(task_id, task_name="demo.work")
    desk.tasks.finish(task_id, status=4, result={"rows": 3}, reason="2 rows failed", run_count=started.run_count)
    desk.work()

    assert (started.station_id, json.loads(started.input or "")) == ("S001", {"n": 1})
    assert desk.ran[0]["params"] == {"rows": 3}
    assert desk.detail(job_id)["job_status"] == "finished"


def test_no_station_sees_the_rows_of_jobs_in_its_list(desk: JobDesk) -> None:
    desk.create("ping")

    assert desk.tasks.list("S001", message_show=True) == []


def test_a_function_that_no_worker_has_fails_the_job(desk: JobDesk) -> None:
    job_id = create(desk, task("a", "demo.nobody_has_it", params={}, retrymax=3))
    task_id, _ = desk.queue.rung.pop(0)

    desk.tasks.close(task_id, reason="No worker has the function demo.nobody_has_it.")

    assert desk.detail(job_id)["ret_stat"] == "ERR_HANDLER_NOT_EXISTS"


def test_an_end_that_went_unheard_is_heard_by_the_keeper(desk: JobDesk) -> None:
    job_id = desk.create("ping")
    claimed = desk.claim()
    assert claimed is not None
    with desk.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE tbl_async_task SET status = 5 WHERE id = {claimed[0].task_id}")

    desk.sweep_after(0)

    assert desk.detail(job_id)["job_status"] == "failed"


def test_a_notifier_is_told_each_state_in_order(desk: JobDesk, tmp_path: Path) -> None:
    told = tmp_path / "told"
    job_id = create(desk, task("a"), notify=str(told))
    desk.work(fail_at("/demo_api/ping"))
    desk.call("retry_job", job_id=job_id)
    desk.work()

    desk.room.notifier.deliver_due()

    assert _settled(told, 4) == [
        f"{job_id} started ",
        f"{job_id} failed ERR_OWN",
        f"{job_id} started ",
        f"{job_id} finished OK",
    ]


def test_a_notifier_that_raises_hurts_nobody_and_is_given_up(desk: JobDesk, tmp_path: Path) -> None:
    told = tmp_path / "told"
    raising = create(desk, task("a"), notify_error=True)
    other = create(desk, task("a"), notify=str(told))

    desk.work()
    # The service's own thread delivers too: the moved clock lets a notice that it has in hand look lost.
    wait_for(lambda: _notices_left(desk) == 0, 20, "the last notice")

    assert desk.detail(raising)["job_status"] == desk.detail(other)["job_status"] == "finished"
    assert list(dict.fromkeys(told.read_text().splitlines())) == [f"{other} started ", f"{other} finished OK"]


@pytest.mark.parametrize("decorator", ["", "@staticmethod"])
def test_a_notifier_that_is_no_class_method_hurts_nobody(desk: JobDesk, plugin_dir: Path, decorator: str) -> None:
    notifier = f"{decorator}\ndef job_notifier(job_obj, *more):\n    raise ValueError('on purpose')"
    write_plugin(plugin_dir, "odd", f'def workflow(self):\n    self.add_task("a", "/demo_api/ping")\n\n{notifier}')
    job_id = desk.create("odd")

    desk.work()

    assert desk.detail(job_id)["job_status"] == "finished"


def test_a_notice_that_nobody_came_back_from_is_given_up(desk: JobDesk, tmp_path: Path) -> None:
    told = tmp_path / "told"
    job_id = create(desk, task("a"), notify=str(told))
    wait_for(lambda: _notices_left(desk) == 0, 20, "the first notice")
    told_before = told.read_text()
    fields = {name: value for name, value in desk.detail(job_id).items() if name in JobObject.__dataclass_fields__}
    left = {"job_id": job_id, "job_type": "graph", "job": json.dumps(fields), "due_at": datetime(2020, 1, 1)}
    with desk.engine.begin() as connection:  # as those leave it whom it killed, or keeps for good
        connection.execute(insert(notices).values(**left, tries=MAX_TRIES))

    desk.room.notifier.deliver_due()

    assert _notices_left(desk) == 0
    assert told.read_text() == told_before


def test_jobs_without_a_notifier_keep_no_notices(desk: JobDesk) -> None:
    desk.create("ping")
    desk.work()

    assert not desk.room.notifier.has_due()


def test_jobs_that_ended_long_ago_are_purged_whole_and_others_kept(database_url: str, plugin_dir: Path) -> None:
    desk = make_desk(database_url, plugin_dirs=[plugin_dir], retention_days=30)
    old, tried_again = create(desk, task("a"), job_locks="kept"), create(desk, task("a"))
    desk.work(fail_at("/demo_api/ping"))
    going_on = create(desk, task("a"), job_timeout=100 * 86_400)
    with desk.engine.begin() as connection:
        connection.execute(insert(notices).values(job_id=old, job_type="graph", job="{}", tries=0, due_at=FAR_OFF))

    desk.sweep_after(29 * 86_400)
    desk.call("retry_job", job_id=tried_again)
    desk.work()
    desk.sweep_after(2 * 86_400)

    assert [desk.call("get_job_detail", job_id=job_id)["stat"] for job_id in (old, tried_again, going_on)] == [
        "ERR_JOB_NOT_EXIST",
        "OK",
        "OK",
    ]
    with desk.engine.connect() as connection:
        left = [set(connection.execute(select(table.c.job_id)).scalars()) for table in (tasks, locks, notices)]
    assert old not in set().union(*left)
    assert left[0] == {tried_again, going_on}
    desk.engine.dispose()


def _notices_left(desk: JobDesk) -> int:
    """Return how many notices are kept when what is due a minute later was tried."""
    desk.sweep_after(70)
    desk.room.notifier.deliver_due()
    with desk.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(notices)).scalar_one()


def _settled(told: Path, lines: int) -> list[str]:
    """Return what a notifier wrote; the service's own thread may have been quicker than the test."""
    wait_for(lambda: told.exists() and len(told.read_text().splitlines()) >= lines, 10, "all notices")
    return told.read_text().splitlines()
