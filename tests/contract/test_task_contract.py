"""The task contract, asked of the fake and of the real service through the real client: both must pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy.engine import Engine

from gm_async_task.tasks.sweep import Sweeper
from shared.database import DatabaseClock
from shared.errors import (
    IdReused,
    InvalidField,
    InvalidPath,
    MalformedRequest,
    NotStartable,
    ProgressBackwards,
    StaleRun,
    TaskNotFound,
    TransitionRefused,
)
from shared.task_api.client import TaskClient
from shared.task_api.fake import FakeTaskApi
from shared.task_api.models import TaskStatus
from tests.support.async_task import AppTransport, make_database, make_service, make_settings
from tests.support.queues import SilentQueue

LEASE_SECONDS = 60.0


@dataclass
class Api:
    """One implementation under test: its client, and what makes time pass in it."""

    client: TaskClient
    pass_seconds: Callable[[float], None]
    """let time pass, and the keeper look"""

    def let_lease_end(self) -> None:
        """Let so much time pass that a run which was not heard of is lost."""
        self.pass_seconds(LEASE_SECONDS + 1)

    def added(self, **changes: object) -> int:
        """Add a task and return its id."""
        options = {"station_id": "S001", "task_name": "demo.work", "input": "{}", "queue": "q", **changes}
        return self.client.create(**options).task_id

    def started(self, **changes: object) -> int:
        """Add a task, start it, return its id."""
        task_id = self.added(**changes)
        self.client.start(task_id)
        return task_id


@pytest.fixture(params=["fake", "sqlite", "mariadb"])
def api(request: pytest.FixtureRequest, make_database_url: Callable[[str], str]) -> Iterator[Api]:
    """The fake, and the service on each kind of database that this machine has."""
    if request.param == "fake":
        yield _fake_api()
        return
    engine = make_database(make_database_url(request.param))
    yield _service_api(engine)
    engine.dispose()


def _fake_api() -> Api:
    fake = FakeTaskApi(lease_seconds=LEASE_SECONDS)

    def pass_seconds(seconds: float) -> None:
        fake.now_seconds += seconds
        fake.expire_leases()

    return Api(TaskClient(fake), pass_seconds)


def _service_api(engine: Engine) -> Api:
    clock = DatabaseClock()
    sweeper = Sweeper(engine, make_settings(), clock, SilentQueue())

    def pass_seconds(seconds: float) -> None:
        clock.offset_seconds += seconds
        sweeper.sweep()

    return Api(TaskClient(AppTransport(make_service(engine, clock))), pass_seconds)


def test_added_task_is_submitted_and_keeps_what_was_given(api: Api) -> None:
    added = api.client.create(
        "S001", "demo.work", '{"a": 1}', type=1, business_id=7, business_name="导出", user_task_id="mine"
    )

    task = api.client.get(added.task_id)

    assert (task.status, task.run_count) == (TaskStatus.SUBMITTED, 0)
    assert (
        task.input,
        task.type,
        task.business_id,
        task.business_name,
        task.user_task_id,
    ) == ('{"a": 1}', 1, 7, "导出", "mine")


def test_input_given_as_json_is_stored_as_text(api: Api) -> None:
    task_id = api.added(input={"rows": ["订单", 2]})

    assert api.client.get(task_id).input == '{"rows":["订单",2]}'


def test_type_id_is_business_id(api: Api) -> None:
    assert api.client.get(api.added(type_id=9)).business_id == 9


def test_adding_again_under_the_same_id_returns_the_first_task(api: Api) -> None:
    first = api.added(user_task_id="mine", input="same")

    second = api.added(user_task_id="mine", input="same")

    assert first == second


def test_adding_another_request_under_the_same_id_conflicts(api: Api) -> None:
    api.added(user_task_id="mine", input="first")

    with pytest.raises(IdReused):
        api.added(user_task_id="mine", input="second")


def test_two_stations_may_use_the_same_id(api: Api) -> None:
    first = api.added(user_task_id="mine", station_id="S001")
    second = api.added(user_task_id="mine", station_id="S002")

    assert first != second
    assert second == api.client.get(user_task_id="mine", station_id="S002").task_id
    with pytest.raises(InvalidField):
        api.client.get(user_task_id="mine")


def test_user_task_id_is_compared_exactly(api: Api) -> None:
    api.added(user_task_id="Mine")

    with pytest.raises(TaskNotFound):
        api.client.get(user_task_id="mine")


def test_another_stations_task_is_not_found(api: Api) -> None:
    task_id = api.added(station_id="S001")

    with pytest.raises(TaskNotFound):
        api.client.get(task_id, station_id="S002")


def test_start_gives_token_and_lease(api: Api) -> None:
    started = api.client.start(api.added())

    assert (started.status, started.run_count, started.lease_seconds) == (TaskStatus.RUNNING, 1, LEASE_SECONDS)


def test_second_start_conflicts(api: Api) -> None:
    task_id = api.started()

    with pytest.raises(NotStartable):
        api.client.start(task_id)


def test_start_repeated_with_the_same_claim_gets_the_same_answer(api: Api) -> None:
    task_id = api.added()
    first = api.client.start(task_id, claim_id="claim-1")

    again = api.client.start(task_id, claim_id="claim-1")

    assert (first.run_count, first.start_time) == (again.run_count, again.start_time)


def test_start_under_another_name_is_refused(api: Api) -> None:
    task_id = api.added(task_name="demo.work")

    with pytest.raises(NotStartable):
        api.client.start(task_id, task_name="demo.other")


def test_repeated_doorbell_of_an_ended_run_is_refused(api: Api) -> None:
    task_id = api.started(repeat=True)
    api.client.finish(task_id, run_count=1)

    with pytest.raises(NotStartable):
        api.client.start(task_id, expect_run_count=0)


def test_late_doorbell_does_not_start_a_closed_task(api: Api) -> None:
    task_id = api.added(repeat=True)
    api.client.close(task_id)

    with pytest.raises(NotStartable):
        api.client.start(task_id, expect_run_count=0)

    assert api.client.get(task_id).reason_code == "closed"


def test_late_doorbell_does_not_start_a_task_closed_after_its_run_was_lost(api: Api) -> None:
    task_id = api.started(repeat=True)
    api.let_lease_end()
    api.client.close(task_id)

    with pytest.raises(NotStartable):
        api.client.start(task_id, expect_run_count=1)


def test_repeatable_task_starts_again_with_a_clean_slate(api: Api) -> None:
    task_id = api.started(repeat=True)
    api.client.finish(task_id, status=5, reason="no", result={"a": 1}, run_count=1)

    again = api.client.start(task_id)

    assert (again.run_count, again.result, again.reason, again.progress) == (2, None, None, 0)


def test_other_task_never_starts_again(api: Api) -> None:
    task_id = api.started(repeat=False)
    api.client.finish(task_id)

    with pytest.raises(NotStartable):
        api.client.start(task_id)


def test_finish_keeps_outcome(api: Api) -> None:
    task_id = api.started()

    api.client.finish(task_id, status=4, result={"failed": 2}, reason="2 rows failed.", run_count=1)

    task = api.client.get(task_id)
    assert (task.status, task.result, task.reason, task.progress) == (4, {"failed": 2}, "2 rows failed.", 100)
    assert task.end_time is not None


def test_same_finish_again_changes_nothing(api: Api) -> None:
    task_id = api.started()
    api.client.finish(task_id, status=3, result=[1], run_count=1)
    before = api.client.get(task_id)

    api.client.finish(task_id, status=3, result=[1], run_count=1)

    assert before == api.client.get(task_id)


@pytest.mark.parametrize(
    ("run_count", "error"), [(1, StaleRun), (None, TransitionRefused)], ids=["with token", "without"]
)
def test_another_outcome_after_the_end_is_refused(api: Api, run_count: int | None, error: type[Exception]) -> None:
    task_id = api.started()
    api.client.finish(task_id, status=3, run_count=1)

    with pytest.raises(error):
        api.client.finish(task_id, status=5, run_count=run_count)

    assert api.client.get(task_id).status == TaskStatus.FINISHED


def test_stale_run_can_change_nothing(api: Api) -> None:
    task_id = api.started(repeat=True)
    api.let_lease_end()
    api.client.start(task_id)

    for attempt in (
        lambda: api.client.finish(task_id, run_count=1),
        lambda: api.client.update(task_id, field="progress", value=5, run_count=1),
        lambda: api.client.heartbeat(task_id, 1),
        lambda: api.client.release(task_id, run_count=1),
    ):
        with pytest.raises(StaleRun):
            attempt()
    assert (api.client.get(task_id).run_count, api.client.get(task_id).status) == (2, TaskStatus.RUNNING)


def test_caller_of_old_without_token_is_let_through_while_the_task_runs(api: Api) -> None:
    task_id = api.started()

    api.client.update(task_id, field="progress", value=5)
    api.client.finish(task_id)

    assert api.client.get(task_id).status == TaskStatus.FINISHED


def test_lost_repeatable_run_is_submitted_again(api: Api) -> None:
    task_id = api.started(repeat=True)

    api.let_lease_end()

    assert api.client.get(task_id).status == TaskStatus.SUBMITTED


def test_lost_other_run_ends_with_a_reason(api: Api) -> None:
    task_id = api.started(repeat=False)

    api.let_lease_end()

    task = api.client.get(task_id)
    assert (task.status, task.reason_code) == (TaskStatus.FAILED, "worker_lost")
    assert task.reason


def test_task_that_kills_its_workers_is_given_up(api: Api) -> None:
    task_id = api.added(repeat=True)

    for _ in range(3):
        api.client.start(task_id)
        api.let_lease_end()

    assert api.client.get(task_id).status == TaskStatus.FAILED


def test_lost_task_that_nobody_would_ring_for_ends(api: Api) -> None:
    task_id = api.started(repeat=True, queue=None)

    api.let_lease_end()

    assert api.client.get(task_id).status == TaskStatus.FAILED


def test_heartbeat_keeps_the_lease(api: Api) -> None:
    task_id = api.started()

    lease = api.client.heartbeat(task_id, 1)

    assert (lease.lease_seconds, lease.stop_requested) == (LEASE_SECONDS, False)


def test_run_handed_back_burns_no_attempt(api: Api) -> None:
    task_id = api.added(repeat=True)

    for run in range(1, 6):
        api.client.start(task_id)
        api.client.release(task_id, run_count=run)

    assert (api.client.get(task_id).status, api.client.get(task_id).run_count) == (TaskStatus.SUBMITTED, 5)


def test_task_that_must_not_run_twice_can_not_be_handed_back(api: Api) -> None:
    task_id = api.started(repeat=False)

    with pytest.raises(TransitionRefused):
        api.client.release(task_id, run_count=1)


def test_owner_may_report_its_run_lost(api: Api) -> None:
    task_id = api.added(repeat=True)
    api.client.start(task_id, owner="worker-1|m1")

    with pytest.raises(StaleRun):
        api.client.release(task_id, owner="worker-2|m2", lost=True)
    api.client.release(task_id, owner="worker-1|m1", lost=True)

    assert api.client.get(task_id).status == TaskStatus.SUBMITTED


def test_closing_a_submitted_task_ends_it(api: Api) -> None:
    task_id = api.added()

    api.client.close(task_id, reason="Not needed.")

    task = api.client.get(task_id)
    assert (task.status, task.reason, task.reason_code) == (TaskStatus.FAILED, "Not needed.", "closed")


def test_closing_a_running_task_asks_it_to_stop(api: Api) -> None:
    task_id = api.started()

    api.client.close(task_id, reason="Wrong file.")

    assert api.client.heartbeat(task_id, 1).stop_requested
    assert api.client.update(task_id, field="progress", value=3, run_count=1)
    api.client.finish(task_id, status=5, reason="Stopped.", reason_code="closed", run_count=1)
    assert api.client.get(task_id).reason == "Wrong file."


def test_closing_an_ended_task_leaves_it(api: Api) -> None:
    task_id = api.started()
    api.client.finish(task_id)

    api.client.close(task_id)

    assert api.client.get(task_id).status == TaskStatus.FINISHED


def test_lost_run_that_was_asked_to_stop_is_not_run_again(api: Api) -> None:
    task_id = api.started(repeat=True)
    api.client.close(task_id)

    api.let_lease_end()

    assert (api.client.get(task_id).status, api.client.get(task_id).reason_code) == (TaskStatus.FAILED, "closed")


def test_update_changes_one_place_of_the_result(api: Api) -> None:
    task_id = api.started()
    api.client.update(task_id, field="result", value={"rows": [{"status": 1}], "total": 0})

    api.client.update(task_id, field="result", postion="$.rows[0].status", value=3)
    api.client.update(task_id, field="result", postion="$.rows[1]", value={"status": 5})
    api.client.update(task_id, field="result", position="$.total", value="2")

    assert api.client.get(task_id).result == {"rows": [{"status": 3}, {"status": 5}], "total": "2"}


def test_whole_result_given_as_json_text_is_read(api: Api) -> None:
    task_id = api.started()

    api.client.update(task_id, field="result", value='{"a": [1]}')

    assert api.client.get(task_id).result == {"a": [1]}


def test_place_can_be_set_to_null(api: Api) -> None:
    task_id = api.started()
    api.client.update(task_id, field="result", value={"a": 1})

    api.client.update(task_id, field="result", postion="$.a", value=None)

    assert api.client.get(task_id).result == {"a": None}


@pytest.mark.parametrize("path", ["", "rows", "$.rows[5]", "$.none.x", "$[*]", "$[-1]", "$[last]", "$**.a", "$.a b"])
def test_path_outside_the_grammar_changes_nothing(api: Api, path: str) -> None:
    task_id = api.started()
    api.client.update(task_id, field="result", value={"rows": [1]})

    with pytest.raises(InvalidPath):
        api.client.update(task_id, field="result", postion=path, value=2)

    assert api.client.get(task_id).result == {"rows": [1]}


@pytest.mark.parametrize("field", ["id", "name", "station_id", "input", "run_count", "status; drop table", "`result`"])
def test_field_outside_the_list_is_refused(api: Api, field: str) -> None:
    task_id = api.started()

    with pytest.raises(InvalidField):
        api.client.update(task_id, field=field, value="x")


@pytest.mark.parametrize("value", [-1, 101, "abc", 1.5, True, None, [1]])
def test_progress_outside_its_range_is_refused(api: Api, value: object) -> None:
    task_id = api.started()

    with pytest.raises(InvalidField):
        api.client.update(task_id, field="progress", value=value)


def test_progress_never_goes_backwards_within_a_run(api: Api) -> None:
    task_id = api.started()
    api.client.update(task_id, field="progress", value="40")

    with pytest.raises(ProgressBackwards):
        api.client.update(task_id, field="progress", value=39)

    assert api.client.get(task_id).progress == 40


def test_submitted_task_takes_no_progress(api: Api) -> None:
    with pytest.raises(TransitionRefused):
        api.client.update(api.added(), field="progress", value=1)


def test_amended_import_moves_up_and_its_rows_change(api: Api) -> None:
    task_id = api.started(type=0)
    api.client.finish(task_id, status=5, result={"rows": [{"state": "failed"}]}, run_count=1)

    api.client.update(task_id, field="result", postion="$.rows[0].state", value="created")
    api.client.update(task_id, field="status", value=4)
    api.client.update(task_id, field="status", value=3)

    task = api.client.get(task_id)
    assert (task.status, task.result) == (TaskStatus.FINISHED, {"rows": [{"state": "created"}]})


def test_amendment_changes_many_places_and_the_status_at_once(api: Api) -> None:
    task_id = api.started(type=0)
    rows = [{"state": "failed"}, {"state": "failed"}, {"state": "created"}]
    end = {"status": 5, "reason": "2 rows failed.", "reason_code": "rows_failed", "run_count": 1}
    api.client.finish(task_id, result={"failed": 2, "rows": rows}, **end)

    changes = [("$.rows[0]", {"state": "created"}), ("$.rows[1]", {"state": "created"}), ("$.failed", 0)]
    api.client.amend(task_id, changes, status=3)

    task = api.client.get(task_id)
    assert (task.status, task.reason, task.reason_code, task.progress) == (TaskStatus.FINISHED, None, None, 100)
    assert task.result == {"failed": 0, "rows": [{"state": "created"}] * 3}


def test_amendment_with_one_wrong_place_changes_nothing(api: Api) -> None:
    task_id = api.started(type=0)
    api.client.finish(task_id, status=5, result={"rows": [1]}, run_count=1)

    with pytest.raises(InvalidPath):
        api.client.amend(task_id, [("$.rows[0]", 2), ("$.rows[7]", 2)], status=3)

    assert (api.client.get(task_id).status, api.client.get(task_id).result) == (TaskStatus.FAILED, {"rows": [1]})


@pytest.mark.parametrize(("type", "status", "wanted"), [(1, 5, 3), (2, 4, 3), (0, 3, 4), (0, 4, 5), (0, None, 3)])
def test_amendment_of_what_is_no_open_import_is_refused(api: Api, type: int, status: int | None, wanted: int) -> None:
    task_id = api.started(type=type)
    if status is not None:
        api.client.finish(task_id, status=status, result={"rows": []}, run_count=1)

    with pytest.raises(TransitionRefused):
        api.client.amend(task_id, [("$.rows[0]", 1)], status=wanted)

    assert api.client.get(task_id).result in (None, {"rows": []})


def test_ended_export_is_left_alone(api: Api) -> None:
    task_id = api.started(type=1)
    api.client.finish(task_id, status=5, run_count=1)

    with pytest.raises(TransitionRefused):
        api.client.update(task_id, field="status", value=3)


def test_list_is_newest_first_by_pages(api: Api) -> None:
    ids = [api.added() for _ in range(5)]
    api.added(station_id="S002")

    first = api.client.list("S001", limit=2)
    second = api.client.list("S001", limit=2, offset=1)
    after = api.client.list("S001", limit=2, before_id=ids[1])

    assert [[ids.index(task.task_id) for task in page] for page in (first, second, after)] == [[4, 3], [2, 1], [0]]


def test_list_filters(api: Api) -> None:
    running = api.started(type=0)
    api.added(type=1, message_show=False)
    shown = api.added(type=1)

    assert [running] == [task.task_id for task in api.client.list("S001", status=2)]
    assert [shown] == [task.task_id for task in api.client.list("S001", type=1, message_show=True)]
    assert [shown] == [task.task_id for task in api.client.list("S001", task_ids=[shown, 999])]


@pytest.mark.parametrize("text", ["orders_may", "WANG", "order imp", "key-7", "#{id}", "{id}", "100%", "订单"])
def test_list_finds_tasks_by_words(api: Api, text: str) -> None:
    for _ in range(2):
        api.added(business_name="Other", file_name="orders.xlsx", submitted_by="li")
    names = {"business_name": "Order import 订单", "file_name": "Orders_May 100%.xlsx", "submitted_by": "wang"}
    sought = api.added(**names, user_task_id="key-7")

    found = api.client.list("S001", text=text.format(id=sought))

    assert [sought] == [task.task_id for task in found]
    assert (found[0].submitted_by, found[0].file_name) == ("wang", "Orders_May 100%.xlsx")


def test_list_takes_wildcards_as_they_stand(api: Api) -> None:
    api.added(business_name="Order import")

    assert [api.client.list("S001", text=text) for text in ("%", "_", "Order%import")] == [[], [], []]


def test_list_filters_by_activity_and_time(api: Api) -> None:
    ended, active = api.started(), api.added()
    api.client.finish(ended)
    created = api.client.get(ended).create_time
    later = (created + timedelta(hours=1)).isoformat()

    def listed(**filters: object) -> list[int]:
        return [task.task_id for task in api.client.list("S001", **filters)]

    assert [listed(active=True), listed(active=False)] == [[active], [ended]]
    assert [listed(since=created.isoformat()), listed(since=later)] == [[active, ended], []]
    assert [listed(until=created.isoformat()), listed(until=later)] == [[], [active, ended]]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_list_refuses_times_that_no_zone_can_bear(api: Api, moment: str) -> None:
    for name in ("since", "until"):
        with pytest.raises(InvalidField):
            api.client.list("S001", **{name: moment})


def test_list_tells_places_of_those_that_wait(api: Api) -> None:
    first, other = api.added(), api.added(queue="other")
    api.started()
    last, loose = api.added(), api.added(queue=None)

    places = {task.task_id: task.ahead for task in api.client.list("S001", with_waiting=True)}

    assert [places[task_id] for task_id in (first, other, last, loose)] == [0, 0, 1, None]
    assert {task.ahead for task in api.client.list("S001")} == {None}


def test_brief_answers_leave_input_and_rows_out(api: Api) -> None:
    task_id = api.started(input="megabytes")
    api.client.finish(task_id, result={"total": 2, "rows": [1, 2]}, run_count=1)

    answers = [*api.client.list("S001", brief=True), api.client.get(task_id, brief=True)]

    assert [(task.input, task.result) for task in answers] == [(None, {"total": 2})] * 2


def test_answers_without_input_have_the_whole_result(api: Api) -> None:
    task_id = api.started(input="megabytes")
    api.client.finish(task_id, result={"rows": [1, 2]}, run_count=1)

    answers = [*api.client.list("S001", without_input=True), api.client.get(task_id, without_input=True)]

    assert [(task.input, task.result) for task in answers] == [(None, {"rows": [1, 2]})] * 2


def test_hide_hides_ended_tasks_and_names_the_others(api: Api) -> None:
    ended, running = api.started(), api.started()
    api.client.finish(ended)

    left_out = api.client.clear_show([ended, running, 999])

    assert left_out is not None
    assert ([999], [running]) == (left_out.unknown, left_out.running)
    assert [api.client.get(task_id).message_show for task_id in (ended, running)] == [False, True]


def test_hide_of_another_stations_task_is_unknown(api: Api) -> None:
    task_id = api.started()
    api.client.finish(task_id)

    left_out = api.client.clear_show([task_id], station_id="S002")

    assert left_out is not None
    assert [task_id] == left_out.unknown
    assert api.client.get(task_id).message_show


def test_finish_leaves_what_it_does_not_name(api: Api) -> None:
    task_id = api.started()
    api.client.update(task_id, field="result", value={"rows": [1, 2]})
    api.client.update(task_id, field="reason", value="1 row failed.")

    api.client.finish(task_id, status=4)

    task = api.client.get(task_id)
    assert (task.result, task.reason) == ({"rows": [1, 2]}, "1 row failed.")


def test_finish_of_a_closed_run_may_be_repeated(api: Api) -> None:
    task_id = api.started()
    api.client.close(task_id, reason="Wrong file.")
    end = {"status": 5, "reason": "Stopped.", "reason_code": "closed", "run_count": 1}
    api.client.finish(task_id, **end)

    api.client.finish(task_id, **end)

    assert api.client.get(task_id).reason == "Wrong file."


def test_closed_run_without_a_reason_keeps_its_own(api: Api) -> None:
    task_id = api.started()
    api.client.close(task_id)

    api.client.finish(task_id, status=5, reason="Stopped.", reason_code="closed", run_count=1)

    assert api.client.get(task_id).reason == "Stopped."


def test_closed_run_that_is_handed_back_is_not_run_again(api: Api) -> None:
    task_id = api.started(repeat=True)
    api.client.close(task_id, reason="Wrong file.")

    api.client.release(task_id, run_count=1)

    task = api.client.get(task_id)
    assert (task.status, task.reason, task.reason_code) == (TaskStatus.FAILED, "Wrong file.", "closed")


def test_run_handed_back_that_nobody_would_ring_for_ends(api: Api) -> None:
    task_id = api.started(repeat=True, queue=None)

    api.client.release(task_id, run_count=1)

    assert api.client.get(task_id).status == TaskStatus.FAILED


def test_queue_of_the_doorbell_is_kept_where_the_task_has_none(api: Api) -> None:
    task_id = api.added(repeat=True, queue=None)
    api.client.start(task_id, queue="q")

    api.let_lease_end()

    task = api.client.get(task_id)
    assert (task.status, task.queue) == (TaskStatus.SUBMITTED, "q")


def test_lost_runs_are_forgotten_when_somebody_starts_the_task_again(api: Api) -> None:
    task_id = api.added(repeat=True)
    for _ in range(3):
        api.client.start(task_id)
        api.let_lease_end()
    assert api.client.get(task_id).status == TaskStatus.FAILED
    api.client.start(task_id)

    api.let_lease_end()

    assert api.client.get(task_id).status == TaskStatus.SUBMITTED


def test_update_extends_the_lease(api: Api) -> None:
    task_id = api.started(repeat=True)
    api.pass_seconds(LEASE_SECONDS - 5)
    api.client.update(task_id, field="progress", value=1, run_count=1)

    api.pass_seconds(LEASE_SECONDS - 5)

    assert api.client.get(task_id).status == TaskStatus.RUNNING


def test_hide_by_own_ids_names_running_ones_and_needs_one_station(api: Api) -> None:
    first = api.added(user_task_id="same", station_id="S001")
    api.added(user_task_id="same", station_id="S002")

    with pytest.raises(InvalidField):
        api.client.clear_show(user_task_ids=["same"])
    left_out = api.client.clear_show(user_task_ids=["same"], station_id="S001")

    assert left_out is not None
    assert left_out.running == ["same"]
    assert api.client.get(first).message_show


@pytest.mark.parametrize("changed", [{"input": "x"}, {"type": 1}, {"repeat": True}, {"run_seconds": 9}])
def test_adding_again_must_agree_in_what_decides_the_work(api: Api, changed: dict[str, object]) -> None:
    api.added(user_task_id="mine")

    with pytest.raises(IdReused):
        api.added(user_task_id="mine", **changed)


def test_adding_again_in_another_language_is_the_same_task(api: Api) -> None:
    first = api.added(user_task_id="mine", business_name="Export")

    assert api.added(user_task_id="mine", business_name="导出") == first


@pytest.mark.parametrize("depth", [31, 32, 60])
def test_results_are_as_deep_as_every_database_takes(api: Api, depth: int) -> None:
    task_id = api.started()
    value: object = 1
    for _ in range(depth):
        value = [value]

    if depth > 31:
        with pytest.raises((InvalidField, MalformedRequest)):
            api.client.finish(task_id, result=value, run_count=1)
    else:
        api.client.finish(task_id, result=value, run_count=1)
        assert api.client.get(task_id).result == value


@pytest.mark.parametrize(
    "act",
    [
        lambda client: client.get(404),
        lambda client: client.start(404),
        lambda client: client.finish(404),
        lambda client: client.update(404, field="progress", value=1),
        lambda client: client.heartbeat(404, 1),
        lambda client: client.amend(404, [("$", {})]),
        lambda client: client.release(404, run_count=1),
        lambda client: client.close(404),
    ],
)
def test_unknown_task_is_not_found(api: Api, act: Callable[[TaskClient], object]) -> None:
    with pytest.raises(TaskNotFound):
        act(api.client)


def test_runs_are_told_first_to_last_with_what_became_of_each(api: Api) -> None:
    task_id = api.added(repeat=True)
    api.client.start(task_id, sent_time="2026-01-01T00:00:00+00:00")
    api.let_lease_end()
    api.client.start(task_id)
    api.client.release(task_id, run_count=2, log=[_line("half of it")])
    api.client.start(task_id)
    going_on = api.client.runs(task_id)
    api.client.finish(task_id, run_count=3, reason_code="some_rows", status=4, log=[_line("all of it")])

    runs = api.client.runs(task_id, with_log=True)

    assert [(run.run_count, run.status, run.reason_code) for run in runs] == [
        (1, TaskStatus.SUBMITTED, "worker_lost"),
        (2, TaskStatus.SUBMITTED, "handed_back"),
        (3, TaskStatus.PARTLY_SUCCEEDED, "some_rows"),
    ]
    assert [[line.text for line in run.log or []] for run in runs] == [[], ["half of it"], ["all of it"]]
    assert all(run.start_time and run.end_time and run.start_time <= run.end_time for run in runs)
    assert [run.sent_time is None for run in runs] == [False, True, True]
    assert (len(going_on), going_on[2].status, going_on[2].end_time) == (3, TaskStatus.RUNNING, None)
    assert going_on[1].log is None


@pytest.mark.parametrize("how", ["finish", "update", "close"])
def test_task_that_ends_has_one_run_however_it_ended(api: Api, how: str) -> None:
    task_id = api.started()
    if how == "update":
        api.client.update(task_id, field="status", value=3)
    else:
        if how == "close":
            api.client.close(task_id)
        api.client.finish(task_id, status=5, reason="so", reason_code="closed")
        api.client.finish(task_id, status=5, reason="so", reason_code="closed")

    runs = api.client.runs(task_id)

    assert [(run.run_count, run.status) for run in runs] == [(1, api.client.get(task_id).status)]


def test_task_that_nobody_ran_has_no_runs(api: Api) -> None:
    task_id = api.added()
    api.client.close(task_id)

    assert api.client.runs(task_id) == []


def test_log_that_cannot_be_kept_is_left_out_and_refuses_no_end(api: Api) -> None:
    task_id = api.started()
    hostile = [7, {"at": "noon"}, {**_line("kept"), "level": "x" * 99}, {**_line("a"), "text": "订" * 5000}]

    api.client.finish(task_id, run_count=1, log=hostile)

    (run,) = api.client.runs(task_id, with_log=True)
    assert [(len(line.level), line.text[:4], len(line.text)) for line in run.log or []] == [
        (16, "kept", 4),
        (4, "订订订订", 2000),
    ]


def _line(text: str) -> dict[str, str]:
    return {"at": "2026-01-01T00:00:00+00:00", "level": "info", "text": text}
