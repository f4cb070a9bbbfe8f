"""/task/* and /async_task/*: names and shapes of the contract, and what is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from shared.errors import Unauthorized
from tests.support.service import Service

EXPORT_RESULT = {
    "file": "export/7f/secret-path.xlsx",
    "file_name": "orders.xlsx",
    "rows": 120,
    "bytes": 9000,
    "sha256": "ab" * 32,
    "script": "internal",
}
SHOWN_EXPORT = {name: EXPORT_RESULT[name] for name in ("file_name", "rows", "bytes", "sha256")}


def test_get_has_the_fields_of_the_contract(service: Service) -> None:
    task = service.add_task(user_task_id="mine", type=0)
    service.end_task(task.task_id, status=4, result={"failed": 1, "total": 3}, reason="1 of 3 rows failed.")

    answer = service.program().get("/task/get", task_id=task.task_id).json

    assert answer == {
        "code": 0,
        "msg": "ok",
        "data": {
            "task_id": task.task_id,
            "user_task_id": "mine",
            "task_name": "gm_task.functions.orders.import_orders",
            "status": 4,
            "reason": "1 of 3 rows failed.",
            "progress": 100,
            "type": 0,
            "result": {"failed": 1, "total": 3},
        },
    }


@pytest.mark.parametrize("path", ["/task/get", "/async_task/get", "/async_task/detail"])
def test_task_is_found_by_either_id(service: Service, path: str) -> None:
    task = service.add_task(user_task_id="mine")
    program = service.program()

    by_id = program.get(path, task_id=task.task_id).json
    by_user_id = program.get(path, user_task_id="mine").json

    assert by_id == by_user_id
    assert by_id is not None and by_id["code"] == 0


def test_async_get_has_its_id_as_text_and_times_with_offset(service: Service) -> None:
    task = service.add_task()

    answer = service.program().get("/async_task/get", task_id=task.task_id).json

    assert answer is not None
    assert set(answer["data"]) == {
        "task_id",
        "user_task_id",
        "status",
        "create_time",
        "modify_time",
        "start_time",
        "end_time",
        "result",
    }
    assert answer["data"]["task_id"] == str(task.task_id)
    assert datetime.fromisoformat(answer["data"]["create_time"]).tzinfo is not None


def test_detail_adds_input_and_reason(service: Service) -> None:
    task = service.add_task(input={"rows": [1]})
    program = service.program()

    short = program.get("/async_task/get", task_id=task.task_id).json
    detail = program.get("/async_task/detail", task_id=task.task_id).json

    assert short is not None and detail is not None
    assert detail["data"] == {**short["data"], "input": '{"rows":[1]}', "reason": None}


def test_list_tells_whether_everything_has_ended(service: Service) -> None:
    first, second = service.add_task(), service.add_task()
    program = service.program()
    service.end_task(first.task_id)

    before = program.get("/task/list").json
    service.end_task(second.task_id)
    after = program.get("/task/list").json

    assert before is not None and after is not None
    assert (before["data"]["finish"], after["data"]["finish"]) == (False, True)
    assert [task["task_id"] for task in before["data"]["tasks"]] == [second.task_id, first.task_id]
    assert set(before["data"]["tasks"][0]) == {
        "task_id",
        "user_task_id",
        "task_name",
        "status",
        "reason",
        "progress",
        "type",
        "result",
    }


def test_empty_list_is_finished(service: Service) -> None:
    answer = service.program().get("/task/list").json

    assert answer is not None and answer["data"] == {"finish": True, "tasks": []}


@pytest.mark.parametrize("path", ["/task/list", "/async_task/list"])
def test_lists_leave_out_what_is_not_shown(service: Service, path: str) -> None:
    service.add_task(message_show=False)
    shown = service.add_task()

    answer = service.program().get(path).json

    assert answer is not None
    listed = answer["data"]["tasks"] if path == "/task/list" else answer["data"]
    assert [int(task["task_id"]) for task in listed] == [shown.task_id]


@pytest.mark.parametrize("path", ["/task/list", "/async_task/list"])
def test_lists_come_in_pages_of_ten(service: Service, path: str) -> None:
    ids = [service.add_task().task_id for _ in range(12)]
    program = service.program()

    def page(**query: Any) -> list[int]:
        data = program.get(path, **query).get_json()["data"]
        return [int(task["task_id"]) for task in (data["tasks"] if path == "/task/list" else data)]

    assert page() == ids[:1:-1]
    assert page(offset=1) == [ids[1], ids[0]]
    assert page(limit=5, offset=1) == ids[6:1:-1]


def test_list_filters(service: Service) -> None:
    export = service.add_task(type=1)
    ended = service.add_task(type=0, user_task_id="k")
    service.end_task(ended.task_id, status=5, reason="no")
    program = service.program()

    def ids(**query: Any) -> list[int]:
        return [task["task_id"] for task in program.get("/task/list", **query).get_json()["data"]["tasks"]]

    assert ids(status=5) == [ended.task_id]
    assert ids(type=1) == [export.task_id]
    assert ids(task_ids=f"{export.task_id},{ended.task_id}") == [ended.task_id, export.task_id]
    assert ids(task_ids=f"[{export.task_id}]") == [export.task_id]
    assert ids(user_task_ids="k,none") == [ended.task_id]


def test_list_of_named_tasks_has_them_all(service: Service) -> None:
    ids = [service.add_task().task_id for _ in range(15)]

    answer = service.program().get("/task/list", task_ids=",".join(map(str, ids)))

    assert len(answer.get_json()["data"]["tasks"]) == 15


def test_finished_export_shows_its_link_and_no_path(service: Service) -> None:
    task = service.add_task(type=1)
    service.end_task(task.task_id, result=EXPORT_RESULT)
    program = service.program()

    results = [
        program.get("/task/get", task_id=task.task_id).get_json()["data"]["result"],
        program.get("/task/list").get_json()["data"]["tasks"][0]["result"],
        program.get("/async_task/get", task_id=task.task_id).get_json()["data"]["result"],
        program.get("/async_task/detail", task_id=task.task_id).get_json()["data"]["result"],
        program.get("/async_task/list").get_json()["data"][0]["result"],
    ]

    assert results == [{**SHOWN_EXPORT, "link": f"/station/download/async/{task.task_id}"}] * 5


def test_export_that_failed_has_no_link(service: Service) -> None:
    task = service.add_task(type=1)
    service.end_task(task.task_id, status=5, result=EXPORT_RESULT, reason="no")

    assert service.program().get("/task/get", task_id=task.task_id).get_json()["data"]["result"] == SHOWN_EXPORT


def test_reason_is_told_in_the_readers_language(service: Service) -> None:
    task = service.add_task()
    service.end_task(task.task_id, status=5, reason="The worker was lost.", reason_code="worker_lost")
    program = service.program()

    program.headers["Accept-Language"] = "zh-CN,zh;q=0.9"
    reason = program.get("/task/get", task_id=task.task_id).get_json()["data"]["reason"]

    assert reason.startswith("执行任务的程序中途丢失")


def test_clear_show_hides_ended_tasks_and_names_the_others(service: Service) -> None:
    ended, running = service.add_task(), service.add_task()
    service.end_task(ended.task_id)
    program = service.program()

    partly = program.post("/task/clear_show", task_ids=[ended.task_id, running.task_id, 99]).get_json()

    assert partly == {"code": 0, "msg": "ok", "data": {"unknown": [99], "running": [running.task_id]}}
    listed = program.get("/task/list").get_json()["data"]["tasks"]
    assert [task["task_id"] for task in listed] == [running.task_id]


def test_clear_show_answers_null_where_all_were_hidden(service: Service) -> None:
    task = service.add_task(user_task_id="mine")
    service.end_task(task.task_id)

    assert service.program().post("/task/clear_show", user_task_ids=["mine"]).get_json()["data"] is None


def test_close_ends_what_waits_and_leaves_what_has_ended(service: Service) -> None:
    waiting, ended = service.add_task(), service.add_task(user_task_id="ended")
    service.end_task(ended.task_id)
    program = service.program()

    answers = [
        program.post("/async_task/close", task_id=waiting.task_id),
        program.post("/async_task/close", user_task_id="ended"),
    ]

    assert [answer.get_json() for answer in answers] == [{"code": 0, "msg": "ok", "data": None}] * 2
    assert (service.tasks.get(waiting.task_id).status, service.tasks.get(ended.task_id).status) == (5, 3)


TASK_ENDPOINTS = [
    ("GET", "/task/get", {"task_id": 1}),
    ("GET", "/task/list", {}),
    ("POST", "/task/clear_show", {"task_ids": [1]}),
    ("GET", "/async_task/get", {"task_id": 1}),
    ("GET", "/async_task/detail", {"task_id": 1}),
    ("GET", "/async_task/list", {}),
    ("POST", "/async_task/close", {"task_id": 1}),
    ("GET", "/pages/tasks", {}),
]


def ask(service: Service, method: str, path: str, parameters: dict[str, Any]) -> Any:
    """Call as a program of the first station."""
    program = service.program()
    return program.get(path, **parameters) if method == "GET" else program.post(path, **parameters)


@pytest.mark.parametrize(("method", "path", "parameters"), TASK_ENDPOINTS)
def test_absent_task_service_is_a_503_that_says_when_to_come_again(
    service: Service, method: str, path: str, parameters: dict[str, Any]
) -> None:
    service.task_api.go_away()

    answer = ask(service, method, path, parameters)

    assert (answer.status_code, answer.get_json()["code"]) == (503, 50300)
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(("method", "path", "parameters"), TASK_ENDPOINTS)
def test_refused_service_key_never_looks_like_the_callers_fault(
    service: Service, method: str, path: str, parameters: dict[str, Any]
) -> None:
    service.task_api.failure = Unauthorized()

    assert ask(service, method, path, parameters).status_code == 503


WRONG_IDS = ["1abc", "01", "1e0", "[1]", "0", "-1", "1.0", " 1", "9223372036854775808", "1" + "0" * 30, "", "١"]


@pytest.mark.parametrize("wrong", WRONG_IDS)
@pytest.mark.parametrize("path", ["/task/get", "/async_task/get", "/async_task/detail", "/async_task/close"])
def test_wrong_id_is_refused_with_the_fields_name(service: Service, path: str, wrong: str) -> None:
    service.add_task()

    method = "POST" if path.endswith("close") else "GET"
    answer = ask(service, method, path, {"task_id": wrong})

    assert (answer.status_code, answer.get_json()["code"]) == (400, 40001)
    assert answer.get_json()["data"]["field"] == "task_id"


@pytest.mark.parametrize(
    ("method", "path", "parameters"),
    [
        ("GET", "/task/get", {}),
        ("GET", "/task/get", {"task_id": 1, "station_id": "S002"}),
        ("GET", "/task/get", {"user_task_id": "x" * 65}),
        ("GET", "/task/get", {"user_task_id": "a\x00"}),
        ("GET", "/task/get", {"task_id": ["1", "2"]}),
        ("GET", "/task/list", {"status": "6"}),
        ("GET", "/task/list", {"status": "x"}),
        ("GET", "/task/list", {"type": "3"}),
        ("GET", "/task/list", {"limit": "0"}),
        ("GET", "/task/list", {"limit": "-1"}),
        ("GET", "/task/list", {"limit": "1001"}),
        ("GET", "/task/list", {"offset": "-1"}),
        ("GET", "/task/list", {"task_ids": "1,x"}),
        ("GET", "/task/list", {"task_ids": "[1"}),
        ("GET", "/task/list", {"station_id": "S002"}),
        ("GET", "/task/list", {"message_show": "0"}),
        ("GET", "/task/list", {"brief": "0"}),
        ("POST", "/task/clear_show", {}),
        ("POST", "/task/clear_show", {"task_ids": []}),
        ("POST", "/task/clear_show", {"task_ids": [True]}),
        ("POST", "/task/clear_show", {"task_ids": 1}),
        ("POST", "/task/clear_show", {"task_ids": list(range(1, 1002))}),
        ("POST", "/task/clear_show", {"task_ids": [1], "station_id": "S002"}),
        ("GET", "/async_task/get", {}),
        ("GET", "/async_task/detail", {"task_id": 1, "extra": 1}),
        ("GET", "/async_task/list", {"status": "0"}),
        ("GET", "/async_task/list", {"type": "1"}),
        ("GET", "/async_task/list", {"limit": "1e3"}),
        ("POST", "/async_task/close", {}),
        ("POST", "/async_task/close", {"task_id": None}),
        ("POST", "/async_task/close", {"task_id": {"$gt": 0}}),
        ("POST", "/async_task/close", {"task_id": 1, "reason": "x"}),
        ("GET", "/pages/tasks", {"offset": "x"}),
    ],
)
def test_wrong_parameter_is_refused_and_changes_nothing(
    service: Service, method: str, path: str, parameters: dict[str, Any]
) -> None:
    task = service.add_task()
    before = service.tasks.get(task.task_id)

    answer = ask(service, method, path, parameters)

    assert (answer.status_code, answer.get_json()["code"]) == (400, 40001)
    assert answer.get_json()["msg"].startswith("The parameter ")
    assert service.tasks.get(task.task_id) == before


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"x"', b"[" * 100_000, b'{"task_id": NaN}', b'{"task_id":1,"task_id":2}', b"\xff\xfe"]
)
@pytest.mark.parametrize("path", ["/task/clear_show", "/async_task/close", "/session"])
def test_malformed_body_is_refused(service: Service, path: str, body: bytes) -> None:
    program = service.program()

    answer = program.client.post(path, data=body, content_type="application/json", headers=program.headers)

    assert (answer.status_code, answer.get_json()["code"]) == (400, 40000)


def test_oversize_body_is_refused(service: Service) -> None:
    program = service.program()

    answer = program.client.post("/async_task/close", data=b" " * 3_000_000, headers=program.headers)

    assert (answer.status_code, answer.get_json()["code"]) == (413, 41300)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/async_task/close"), ("GET", "/task/clear_show"), ("POST", "/task/get"), ("DELETE", "/task/list")],
)
def test_wrong_method_is_refused(service: Service, method: str, path: str) -> None:
    program = service.program()

    answer = program.client.open(path, method=method, headers=program.headers)

    assert (answer.status_code, answer.get_json()["code"]) == (405, 40500)


def test_strangers_learn_nothing_about_parameters(service: Service) -> None:
    answer = service.app.test_client().get("/task/get?task_id=1abc")

    assert answer.status_code == 401
