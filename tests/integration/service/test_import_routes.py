"""The endpoints of imports over HTTP: a station's callers, and the worker with its key."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.import_calls import BATCH, add_cycle, ask, ledger_id, run, submission, submit
from tests.support.order_rows import make_row, order_numbers
from tests.support.service import Service


@pytest.fixture
def service(service: Service) -> Service:
    """The service with an operating cycle."""
    add_cycle(service)
    return service


def test_submission_becomes_a_task_whose_input_names_its_rows(service: Service) -> None:
    task_id = submit(service.program(), make_row(), 5)

    task = service.tasks.get(task_id)
    assert (task.user_task_id, task.type, task.queue) == ("up-1", 0, "gm_task")
    assert task.input is not None and len(task.input) < 400
    assert service.queue.rung


def test_submission_sent_again_is_the_same_task_and_another_one_conflicts(service: Service) -> None:
    program = service.program()

    first, again = submit(program, make_row()), submit(program, make_row())
    other = program.post(BATCH + "submit", **submission(make_row(quantity=7)))

    assert first == again
    assert (other.status_code, other.get_json()["code"]) == (409, 40904)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"order_data": []}, 422),
        ({"order_data": [1] * 20_001}, 413),
        ({"order_data": {}}, 400),
        ({"order_data": None}, 400),
        ({"file": "text"}, 400),
        ({"time_config_id": "night"}, 422),
        ({"task_id": ""}, 400),
        ({"station_id": "S002"}, 400),
    ],
)
def test_wrong_submission_is_refused(service: Service, changes: dict[str, Any], status: int) -> None:
    answer = service.program().post(BATCH + "submit", **submission(make_row(), **changes))

    assert answer.status_code == status and answer.get_json()["code"] != 0
    assert service.tasks.list("S001") == []


def test_submission_is_not_taken_while_the_platform_is_away(service: Service) -> None:
    program = service.program()
    service.task_api.go_away()

    refused = program.post(BATCH + "submit", **submission(make_row()))
    service.task_api.failure = None
    task_id = submit(program, make_row())

    assert refused.status_code == 503 and refused.headers["Retry-After"]
    assert service.tasks.get(task_id).user_task_id == "up-1"


def test_check_says_what_would_fail_and_writes_nothing(service: Service) -> None:
    body = submission(make_row(), make_row(), make_row(order_no="B", quantity=0))
    del body["task_id"]

    data = service.program().post(BATCH + "check", **body).get_json()["data"]

    assert [data[name] for name in ("total", "created", "failed", "lines", "amount")] == [3, 1, 2, 1, "15.30"]
    assert [(row["index"], row["code"]) for row in data["rows"]] == [(1, "duplicate_in_batch"), (2, "not_positive")]
    assert order_numbers(service.engine) == []
    assert service.tasks.list("S001") == []


def test_run_ends_as_the_rows_say_and_shows_them(service: Service) -> None:
    program = service.program()
    task_id = submit(program, make_row(order_no="A"), make_row(order_no="B", quantity=0))

    run(service, task_id)

    task = program.get("/task/get", task_id=task_id).get_json()["data"]
    counts = [task["result"][name] for name in ("total", "created", "failed", "not_attempted")]
    assert (task["status"], task["reason"], counts) == (4, "1 of 2 rows failed.", [2, 1, 1, 0])
    first, second = task["result"]["rows"]
    assert (first["state"], second["state"], second["column"]) == ("created", "failed", "quantity")
    assert second["reason"] and second["reason_zh"]


def test_rows_are_listed_by_pages_in_the_readers_language(service: Service) -> None:
    program = service.program()
    task_id = submit(program, *(make_row(order_no=f"A-{n}", quantity=n % 2) for n in range(6)))
    run(service, task_id)

    first = program.get(BATCH + "rows", task_id=task_id, state="failed", limit=2).get_json()["data"]
    program.headers["Accept-Language"] = "zh"
    second = program.get(BATCH + "rows", task_id="up-1", state="failed", after=2, limit=2).get_json()["data"]

    assert [row["index"] for row in (*first, *second)] == [0, 2, 4]
    assert first[0]["order"]["order_no"] == "A-0"
    assert "must be above zero" in first[0]["reason"] and "必须大于零" in second[0]["reason"]


def test_amended_rows_are_answered_and_the_task_follows(service: Service) -> None:
    program = service.program()
    task_id = submit(program, make_row(order_no="A"), make_row(order_no="B", quantity=0))
    run(service, task_id)

    rows = [{"index": 1, "order": make_row(order_no="B")}]
    data = program.post(BATCH + "amend", task_id="up-1", rows=rows).get_json()["data"]

    assert (data["task_id"], data["status"], data["created"], data["failed"]) == (task_id, 3, 2, 0)
    assert [(row["index"], row["state"], row["attempt"]) for row in data["rows"]] == [(1, "created", 2)]
    assert program.get("/task/get", task_id=task_id).get_json()["data"]["status"] == 3


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"rows": []}, 400, 40001),
        ({"rows": None}, 400, 40001),
        ({"rows": [{"index": 0}, {"index": 0}]}, 400, 40001),
        ({"rows": [{"index": -1}]}, 400, 40001),
        ({"rows": [{"index": 2}]}, 400, 40001),
        ({"rows": [{"order": {}}]}, 400, 40001),
        ({"task_id": "up-2"}, 404, 40401),
        ({"task_id": "x" * 65}, 400, 40001),
    ],
)
def test_wrong_amendment_is_refused(service: Service, changes: dict[str, Any], status: int, code: int) -> None:
    program = service.program()
    task_id = submit(program, make_row(order_no="A"), make_row(order_no="B", quantity=0))
    run(service, task_id)

    answer = program.post(BATCH + "amend", **{"task_id": "up-1", "rows": [{"index": 1}], **changes})

    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_index_that_no_import_has_is_refused_with_its_bound(service: Service) -> None:
    answer = service.program().post(BATCH + "amend", task_id="up-1", rows=[{"index": 10**18}])

    assert answer.get_json()["data"] == {"field": "rows.0.index", "problem": "it must be below 10000000"}


def test_platforms_id_is_told_from_a_submission_of_that_name(service: Service) -> None:
    program = service.program()
    first = submit(program, make_row(order_no="A", quantity=0))
    submit(program, make_row(order_no="B"), task_id=str(first))

    by_name = program.get(BATCH + "rows", task_id=first).get_json()["data"]
    by_number = program.get(BATCH + "rows", platform_task_id=first).get_json()["data"]
    both = program.get(BATCH + "rows", platform_task_id=first, task_id=first)

    assert [row["order"]["order_no"] for row in (*by_name, *by_number)] == ["B", "A"]
    assert both.status_code == 400


def test_amending_a_running_import_is_a_conflict(service: Service) -> None:
    program = service.program()
    submit(program, make_row())

    answer = program.post(BATCH + "amend", task_id="up-1", rows=[{"index": 0}])

    assert (answer.status_code, answer.get_json()["code"]) == (409, 40905)


def test_stations_do_not_see_each_others_imports(service: Service) -> None:
    submit(service.program(), make_row())
    stranger = service.program("S002")

    answers = [
        stranger.get(BATCH + "rows", task_id="up-1"),
        stranger.post(BATCH + "amend", task_id="up-1", rows=[{"index": 0}]),
    ]

    assert [answer.get_json()["code"] for answer in answers] == [40401, 40401]


def test_rows_in_a_tasks_own_input_are_kept_when_its_run_asks(service: Service) -> None:
    orders = [make_row(order_no="A"), make_row(order_no="B", quantity=0)]
    task = service.add_task(type=0)
    opening = {"task_id": task.task_id, "station_id": "S001", "time_config_id": "whole-day", "order_data": orders}

    first, again = (ask(service, "open", **opening).get_json()["data"] for _ in range(2))
    key = {**first, "task_id": task.task_id, "run_count": 1, "station_id": "S001"}
    counts = ask(service, "create", limit=10, **key).get_json()["data"]

    assert first == again
    assert counts == {"total": 2, "created": 1, "failed": 1, "not_attempted": 0}


def test_stations_keep_lists_that_their_imports_are_held_against(service: Service) -> None:
    program = service.program()
    body = {"goods": [{"code": "85123A", "name": "White lantern", "unit": "pcs"}], "buyers": []}

    before = program.get("/station/catalogue").get_json()["data"]
    after = program.post("/station/catalogue", **body).get_json()["data"]
    again = program.post("/station/catalogue", **body).get_json()["data"]

    assert (before, after, again) == ({"goods": 0, "buyers": 0}, {"goods": 1, "buyers": 0}, {"goods": 1, "buyers": 0})
    assert service.program("S002").get("/station/catalogue").get_json()["data"] == before
    check = submission(make_row(order_no="A"), make_row(order_no="B", sku="other"))
    del check["task_id"]
    failed = program.post(BATCH + "check", **check).get_json()["data"]["rows"]
    assert [(row["index"], row["code"]) for row in failed] == [(1, "unknown_sku")]


@pytest.mark.parametrize("verb", ["create", "outcome", "open"])
@pytest.mark.parametrize("key", ["", "wrong"])
def test_wrong_service_key_is_refused(service: Service, verb: str, key: str) -> None:
    assert ask(service, verb, key, limit=1).status_code == 401


@pytest.mark.parametrize("verb", ["create", "outcome"])
def test_stale_run_hears_so(service: Service, verb: str) -> None:
    task_id = submit(service.program(), make_row(order_no="A"), make_row(order_no="B"))
    key = {"import_id": ledger_id(service.tasks.get(task_id).input), "task_id": task_id, "station_id": "S001"}
    ask(service, "create", limit=1, run_count=2, **key)

    answer = ask(service, verb, run_count=1, **key, **({"limit": 1} if verb == "create" else {}))

    assert (answer.status_code, answer.get_json()["code"]) == (409, 40901)
    assert order_numbers(service.engine) == ["A"]


@pytest.mark.parametrize("changes", [{"run_count": 0}, {"import_id": "1abc"}, {"limit": 0}, {"limit": 2001}, {"x": 1}])
def test_wrong_request_of_a_worker_is_refused(service: Service, changes: dict[str, Any]) -> None:
    key = {"import_id": 1, "task_id": 1, "run_count": 1, "station_id": "S001", "limit": 5}

    assert ask(service, "create", **{**key, **changes}).status_code == 400


def test_openapi_document_describes_the_endpoints(service: Service) -> None:
    paths = service.app.test_client().get("/openapi.json").get_json()["paths"]

    assert {BATCH + verb for verb in ("check", "submit", "amend", "rows")} <= set(paths)
