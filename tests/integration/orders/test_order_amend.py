"""Fix and run again: only open rows run, the task's result and status follow, and nothing is lost or done twice."""

from __future__ import annotations

import threading
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, update

from gm_service.orders.imports.amending import Amendment, amend_rows
from gm_service.orders.imports.commands import CreateOrders, OneImport
from gm_service.orders.imports.models import order_import
from gm_service.orders.imports.rows import SubmittedRow
from shared.database import in_write
from shared.errors import IdReused, ImportRunning, InvalidField, StaleRun, TaskNotFound, TooLarge, Unavailable
from shared.task_api.models import TaskStatus
from tests.support.imports import Imports, OneStation
from tests.support.order_rows import OTHER_STATION, insert, make_order, make_row, order_numbers, states_of


@pytest.fixture
def imports(orders_engine: Engine) -> Imports:
    return Imports(orders_engine)


def orders(count: int, *, bad: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    return [make_row(order_no=f"A-{index}", quantity=0 if index in bad else 1) for index in range(count)]


def good(index: int) -> dict[str, Any]:
    return {"index": index, "order": make_row(order_no=f"A-{index}", quantity=2)}


def test_status_follows_the_rows_from_failed_over_partly_to_finished(imports: Imports) -> None:
    task_id = imports.submit(orders(3, bad=(0, 1, 2)))
    assert imports.run(task_id).status == TaskStatus.FAILED

    statuses = [imports.amend(task_id, [good(index)]).status for index in range(3)]

    assert statuses == [TaskStatus.PARTLY_SUCCEEDED, TaskStatus.PARTLY_SUCCEEDED, TaskStatus.FINISHED]
    task = imports.tasks.get(task_id)
    assert [row["state"] for row in task.result["rows"]] == ["created"] * 3
    assert (task.result["created"], task.result["failed"], task.reason, task.progress) == (3, 0, None, 100)


def test_each_amended_row_changes_its_own_place_of_the_result(imports: Imports) -> None:
    task_id = imports.submit(orders(5, bad=(1, 3)))
    before = imports.run(task_id).result["rows"]

    amended = imports.amend(task_id, [good(3)])

    after = imports.tasks.get(task_id).result["rows"]
    assert [index for index in range(5) if before[index] != after[index]] == [3]
    assert (after[3]["state"], after[3]["attempt"]) == ("created", 2)
    assert [(row.index, row.state.name) for row in amended.rows] == [(3, "CREATED")]


def test_created_row_is_untouched_whatever_is_sent(imports: Imports, orders_engine: Engine) -> None:
    task_id = imports.submit(orders(2, bad=(1,)))
    before = imports.run(task_id)

    amended = imports.amend(task_id, [{"index": 0, "order": make_row(order_no="OTHER", quantity=9)}])

    assert order_numbers(orders_engine) == ["A-0"]
    assert amended.rows[0].attempt == 1
    assert imports.tasks.get(task_id).result == before.result


def test_same_correction_twice_changes_nothing_more(imports: Imports, orders_engine: Engine) -> None:
    task_id = imports.submit(orders(4, bad=(1, 2, 3)))
    imports.run(task_id)
    correction = [good(1), {"index": 2, "order": make_row(order_no="A-2", quantity=-5)}]
    first = imports.amend(task_id, correction)
    told = imports.tasks.get(task_id)

    second = imports.amend(task_id, correction)

    assert first == second
    assert imports.tasks.get(task_id).result == told.result
    assert [row.attempt for row in second.rows] == [2, 2]
    assert order_numbers(orders_engine) == ["A-0", "A-1"]


@pytest.mark.parametrize(
    ("submitted", "corrected"),
    [({"quantity": True}, {"quantity": 1}), ({"order_no": 4711.0}, {"order_no": 4711})],
    ids=["true becomes 1", "4711.0 becomes 4711"],
)
def test_correction_that_python_calls_equal_is_one(
    imports: Imports, submitted: dict[str, Any], corrected: dict[str, Any]
) -> None:
    task_id = imports.submit([make_row(**submitted)])
    assert imports.run(task_id).status == TaskStatus.FAILED

    amended = imports.amend(task_id, [{"index": 0, "order": make_row(**corrected)}])

    assert amended.status == TaskStatus.FINISHED


def test_correction_with_its_columns_in_another_order_is_the_same(imports: Imports) -> None:
    row = make_row(quantity=-5)
    task_id = imports.submit([row])
    imports.run(task_id)

    amended = imports.amend(task_id, [{"index": 0, "order": dict(reversed(row.items()))}])

    assert amended.rows[0].attempt == 1


def test_row_may_run_again_as_it_stands_when_the_reason_is_gone(imports: Imports, orders_engine: Engine) -> None:
    insert(orders_engine, make_order("A-1"))
    task_id = imports.submit(orders(2))
    imports.run(task_id)
    assert states_of(orders_engine, imports.import_id(task_id)) == ["created", "duplicate_order_no"]

    unchanged = imports.amend(task_id, [{"index": 1}])
    renamed = imports.amend(task_id, [{"index": 1, "order": make_row(order_no="A-1b")}])

    assert (unchanged.rows[0].attempt, renamed.status) == (1, TaskStatus.FINISHED)


def test_stopped_import_keeps_what_is_done_and_its_other_rows_run_later(
    imports: Imports, orders_engine: Engine
) -> None:
    task_id = imports.submit(orders(10, bad=(2,)))
    stopped = imports.run(task_id, rows=4, status=5)
    assert [stopped.result[name] for name in ("created", "failed", "not_attempted")] == [3, 1, 6]

    some = imports.amend(task_id, [{"index": index} for index in (4, 5, 6)])
    rest = imports.amend(task_id, [{"index": index} for index in (7, 8, 9)] + [good(2)])

    assert (some.status, some.counts.waiting) == (TaskStatus.PARTLY_SUCCEEDED, 3)
    assert (rest.status, rest.counts.created) == (TaskStatus.FINISHED, 10)
    assert sorted(order_numbers(orders_engine)) == sorted(f"A-{index}" for index in range(10))


def test_import_closed_before_it_ran_can_still_be_run(imports: Imports) -> None:
    task_id = imports.submit(orders(3))
    imports.tasks.close(task_id)

    amended = imports.amend(task_id, [{"index": index} for index in range(3)])

    assert (amended.status, amended.counts.created) == (TaskStatus.FINISHED, 3)
    assert len(imports.tasks.get(task_id).result["rows"]) == 3


def test_import_closed_before_it_ran_is_partly_succeeded_when_some_rows_were_run(imports: Imports) -> None:
    task_id = imports.submit(orders(3))
    imports.tasks.close(task_id)
    imports.teller.catch_up(imports.station.id, [imports.tasks.get(task_id)])
    closed = imports.tasks.get(task_id)

    amended = imports.amend(task_id, [{"index": 0}])

    assert (closed.status, closed.reason_code) == (TaskStatus.FAILED, "closed")
    assert (amended.status, amended.counts.created, amended.counts.waiting) == (TaskStatus.PARTLY_SUCCEEDED, 1, 2)


def test_running_import_can_not_be_amended(imports: Imports) -> None:
    task_id = imports.submit(orders(3))
    with pytest.raises(ImportRunning):
        imports.amend(task_id, [good(0)])
    imports.run(task_id, rows=1, finish=False)

    with pytest.raises(ImportRunning):
        imports.amend(task_id, [good(0)])


def test_run_that_outlived_its_task_is_fenced_by_the_amendment(imports: Imports, orders_engine: Engine) -> None:
    task_id = imports.submit(orders(3))
    imports.run(task_id, rows=1, finish=False)
    imports.tasks.finish(task_id, status=5, run_count=1)
    imports.amend(task_id, [good(1)])

    with pytest.raises(StaleRun):
        run_on(imports, task_id)

    assert order_numbers(orders_engine) == ["A-0", "A-1"]


def run_on(imports: Imports, task_id: int) -> None:
    key = {"import_id": imports.import_id(task_id), "task_id": task_id, "run_count": 1}
    imports.runs.create_orders(CreateOrders(**key, station_id=imports.station.id, limit=5))


def test_index_behind_the_last_row_is_refused_as_a_whole(imports: Imports, orders_engine: Engine) -> None:
    task_id = imports.submit(orders(2, bad=(0,)))
    imports.run(task_id)

    with pytest.raises(InvalidField):
        imports.amend(task_id, [good(0), good(2)])

    assert order_numbers(orders_engine) == ["A-1"]


def test_import_is_named_by_its_own_id_or_the_platforms(imports: Imports) -> None:
    task_id = imports.submit(orders(2, bad=(0, 1)), key="mine")
    imports.run(task_id)

    assert imports.amend("mine", [good(0)]).task_id == task_id
    assert imports.amend(str(task_id), [good(1)]).task_id == task_id


def test_import_whose_submission_had_no_time_to_note_its_task_is_found_by_its_id(
    imports: Imports, orders_engine: Engine
) -> None:
    task_id = imports.submit(orders(1), key="mine")
    imports.tasks.close(task_id)
    in_write(orders_engine, lambda connection: connection.execute(update(order_import).values(task_id=None)))

    amended = imports.amend("mine", [{"index": 0}])

    assert (amended.task_id, amended.status) == (task_id, TaskStatus.FINISHED)


def test_import_that_was_refused_because_its_id_is_another_tasks_can_not_be_amended(
    imports: Imports, orders_engine: Engine
) -> None:
    taken = imports.tasks.create(imports.station.id, "somebody.elses", {"import_id": 77}, user_task_id="taken", type=0)
    imports.tasks.close(taken.task_id)
    with pytest.raises(IdReused):
        imports.submit(orders(1), key="taken")

    with pytest.raises(TaskNotFound):
        imports.amend("taken", [good(0)])

    assert order_numbers(orders_engine) == []


def test_import_of_another_station_is_not_found(imports: Imports, orders_engine: Engine) -> None:
    task_id = imports.submit(orders(2, bad=(0,)), key="mine")
    imports.run(task_id)
    stranger = Imports(orders_engine, imports.api, OneStation(OTHER_STATION))

    for key in ("mine", str(task_id), "nothing", "9" * 30):
        with pytest.raises(TaskNotFound):
            stranger.amend(key, [good(0)])


def test_many_people_amending_at_once_lose_nothing(imports: Imports, orders_engine: Engine) -> None:
    task_id = imports.submit(orders(40, bad=tuple(range(40))))
    imports.run(task_id)
    failures: list[Exception] = []

    def amend(indexes: list[int]) -> None:
        try:
            for index in indexes:
                imports.amend(task_id, [good(index)])
        except Exception as error:  # what a thread raises would be lost
            failures.append(error)

    some = [list(range(start, 40, 4)) for start in range(4)] + [list(range(39, -1, -7)), list(range(0, 40, 5))]
    threads = [threading.Thread(target=amend, args=(indexes,)) for indexes in some]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    task = imports.tasks.get(task_id)
    assert failures == []
    assert (task.status, task.result["created"]) == (TaskStatus.FINISHED, 40)
    assert {row["state"] for row in task.result["rows"]} == {"created"}
    assert sorted(order_numbers(orders_engine)) == sorted(f"A-{index}" for index in range(40))


class Unreachable:
    """A task API whose amend never arrives."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.is_away = True

    def call(self, method: Any, path: str, parameters: dict[str, Any]) -> Any:
        if self.is_away and path == "/task/amend":
            raise Unavailable(what="task service")
        return self.api.call(method, path, parameters)


class Crowded:
    """A task API that is never told of an import's rows without somebody else's correction coming in meanwhile."""

    def __init__(self, imports: Imports, task_id: int) -> None:
        self.imports = imports
        self.task_id = task_id
        self.next_index = 1

    def call(self, method: Any, path: str, parameters: dict[str, Any]) -> Any:
        answer = self.imports.api.call(method, path, parameters)
        if path == "/task/amend":
            station = self.imports.station
            batch = self.imports.service.find_import(station, OneImport(platform_task_id=self.task_id))
            row = SubmittedRow(good(self.next_index)["order"])
            amend_rows(self.imports.engine, Amendment(batch, self.task_id, 1, ZoneInfo("UTC")), {self.next_index: row})
            self.next_index += 1
        return answer


def test_amending_in_a_crowd_is_no_failure(imports: Imports, orders_engine: Engine) -> None:
    task_id = imports.submit(orders(20, bad=tuple(range(20))))
    imports.run(task_id)
    crowd = Crowded(imports, task_id)
    crowded = Imports(orders_engine, crowd)  # type: ignore[arg-type]

    amended = crowded.amend(task_id, [good(0)])
    imports.teller.catch_up(imports.station.id, [imports.tasks.get(task_id)])

    assert (amended.status, amended.rows[0].state.name) == (TaskStatus.PARTLY_SUCCEEDED, "CREATED")
    assert imports.tasks.get(task_id).result["created"] == crowd.next_index


class Full:
    """A task API whose results have no room for further reasons."""

    def __init__(self, api: Any) -> None:
        self.api = api

    def call(self, method: Any, path: str, parameters: dict[str, Any]) -> Any:
        if path == "/task/amend" and parameters["changes"][0]["postion"] != "$":
            raise TooLarge(what="result", limit="8388608 bytes")
        return self.api.call(method, path, parameters)


def test_result_that_grew_too_large_by_corrections_is_told_anew(imports: Imports, orders_engine: Engine) -> None:
    task_id = imports.submit(orders(3, bad=(0, 1)))
    imports.run(task_id)
    full = Imports(orders_engine, Full(imports.api))  # type: ignore[arg-type]

    amended = full.amend(task_id, [good(0), {"index": 1, "order": make_row(order_no="A-1", quantity=-1)}])

    rows = imports.tasks.get(task_id).result["rows"]
    assert (amended.status, [row["state"] for row in rows]) == (4, ["created", "failed", "created"])
    assert (rows[1]["value"], rows[1]["attempt"]) == ("-1", 2)


def test_task_that_could_not_be_told_is_told_when_somebody_looks(imports: Imports, orders_engine: Engine) -> None:
    task_id = imports.submit(orders(3, bad=(0, 1)))
    imports.run(task_id)
    link = Unreachable(imports.api)
    late = Imports(orders_engine, link)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        late.amend(task_id, [good(0)])
    assert imports.tasks.get(task_id).result["created"] == 1

    link.is_away = False
    assert late.teller.catch_up(imports.station.id, [imports.tasks.get(task_id)])

    task = imports.tasks.get(task_id)
    assert (task.status, task.result["created"], task.result["failed"]) == (TaskStatus.PARTLY_SUCCEEDED, 2, 1)
    assert not late.teller.catch_up(imports.station.id, [task])


def test_import_whose_worker_was_lost_shows_what_it_had_done(imports: Imports) -> None:
    task_id = imports.submit(orders(5, bad=(1,)))
    imports.run(task_id, rows=3, finish=False)
    imports.tasks.finish(task_id, status=5, reason="lost", reason_code="worker_lost", run_count=1)

    imports.teller.catch_up(imports.station.id, [imports.tasks.get(task_id)])

    task = imports.tasks.get(task_id)
    assert (task.status, task.reason_code) == (TaskStatus.FAILED, "worker_lost")
    assert [task.result[name] for name in ("created", "failed", "not_attempted")] == [2, 1, 2]
    assert [row["state"] for row in task.result["rows"]] == ["created", "failed", "created", "waiting", "waiting"]
