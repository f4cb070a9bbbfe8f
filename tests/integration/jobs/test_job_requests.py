"""What /xingqiao answers: shapes, parameters, look-ups, and each kind of bad input with its own stat."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gm_async_task.workflow import models
from tests.support.jobs import JobDesk, make_desk, write_plugin

ADD = 'def workflow(self):\n    self.add_task("a", "/demo_api/ping"'


def test_a_created_job_is_started_and_its_first_task_is_rung_for(desk: JobDesk) -> None:
    job_id = desk.create("ping", job_name="first")

    job = desk.detail(job_id)
    assert (job["job_status"], job["job_type"], job["job_name"], job["ret_data"]) == ("started", "ping", "first", {})
    assert (job["job_extra"], job["job_timeout"], job["operator"]) == ("{}", 3600, "-")
    assert desk.states(job_id) == {"task1": "pending", "task2": "waiting"}
    assert len(desk.queue.rung) == 1


def test_every_column_of_the_contract_is_shown(desk: JobDesk) -> None:
    job_id = desk.create()

    assert list(desk.detail(job_id)) == list(models.CONTRACT_JOB_COLUMNS)
    assert list(desk.task_rows(job_id)[0]) == list(models.CONTRACT_TASK_COLUMNS)


def test_a_body_is_read_as_json_whatever_its_content_type(quick_desk: JobDesk) -> None:
    body = json.dumps({"job_namespace": "S001", "job_type": "ping"})

    for kind in (
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
    ):
        answer = quick_desk.send("create_job", body, **{"Content-Type": kind})

        assert answer.json["stat"] == "OK", kind


def test_the_body_wins_over_the_query_and_get_does_the_same(quick_desk: JobDesk) -> None:
    both = quick_desk.send("create_job", '{"job_name":"body"}', "job_namespace=S001&job_type=ping&job_name=query")
    alone = quick_desk.get("create_job", 'job_namespace=S001&job_type=hello&job_extra={"str_info":"x"}')

    assert quick_desk.detail(both.json["job_id"])["job_name"] == "body"
    assert quick_desk.detail(alone.json["job_id"])["job_extra"] == '{"str_info":"x"}'


def test_answers_carry_an_id_of_their_own_and_the_cost(quick_desk: JobDesk) -> None:
    answers = [quick_desk.get("list_jobs", **{"X-Request-Id": "same"}) for _ in range(3)]

    assert len({answer.headers["x-reqid"] for answer in answers}) == 3
    assert all(float(answer.headers["x-cost"]) >= 0 for answer in answers)
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/json"}


def test_success_and_message_stand_beside_the_stat_where_it_is_configured(tmp_path: Path) -> None:
    desk = make_desk(f"sqlite:///{tmp_path}/x.db", stat_with_success=True)

    assert desk.call("list_jobs") | {"data": None} == {"stat": "OK", "data": None, "success": True, "message": "OK"}
    refused = desk.call("retry_job", job_id=5)
    assert (refused["stat"], refused["success"], refused["message"]) == (
        "ERR_JOB_NOT_EXIST",
        False,
        "ERR_JOB_NOT_EXIST",
    )


def test_strangers_get_401_and_large_bodies_413_in_the_same_shape(quick_desk: JobDesk) -> None:
    stranger = quick_desk.get("list_jobs", **{"X-Auth-Key": "wrong" * 10})
    large = quick_desk.send("create_job", b" " * (2 * 1024 * 1024 + 1))

    assert (stranger.status_code, stranger.json["stat"]) == (401, "ERR_UNAUTHORIZED")
    assert (large.status_code, large.json["stat"]) == (413, "ERR_TOO_LARGE")


@pytest.mark.parametrize(
    ("name", "body", "query"),
    [
        ("create_job", "{", ""),
        ("create_job", "[]", ""),
        ("create_job", "a=b&c=d", ""),
        ("create_job", '{"job_type":"ping"}', ""),
        ("create_job", '{"job_namespace":"S001"}', ""),
        ("create_job", '{"job_namespace":"S001","job_type":"ping","more":1}', ""),
        ("create_job", '{"job_namespace":"S001","job_type":"ping","job_timeout":0}', ""),
        ("create_job", '{"job_namespace":"S001","job_type":"ping","job_name":7}', ""),
        ("create_job", '{"job_namespace":"S001","job_type":"ping","job_name":" a"}', ""),
        ("create_job", '{"job_namespace":"S001","job_type":"ping"}', "job_type=a&job_type=b"),
        ("delete_job", "{}", ""),
        ("retry_job", "{}", ""),
        ("get_job_detail", "{}", ""),
        ("get_task", "{}", ""),
        ("get_task", '{"task_id":"1abc"}', ""),
        ("list_jobs", '{"page_index":0}', ""),
        ("list_jobs", '{"page_size":1001}', ""),
        ("list_jobs", '{"orderBy":"no_column"}', ""),
        ("list_jobs", '{"orderBy":"job_id; drop table workflow_job"}', ""),
        ("list_jobs", '{"orderBy":"deadline"}', ""),
        ("list_jobs", '{"orderDir":"sideways"}', ""),
        ("list_jobs", '{"job_id":"1 or 1=1"}', ""),
        pytest.param("list_jobs", f'{{"job_name":"{"%" * 60_000}"}}', "", id="a pattern that databases refuse"),
        pytest.param("list_jobs", f'{{"job_tag":"{"a," * 3000}"}}', "", id="more tags than a job can carry"),
    ],
)
def test_bad_parameters_are_named_and_leave_nothing(quick_desk: JobDesk, name: str, body: str, query: str) -> None:
    answer = quick_desk.send(name, body, query)

    assert (answer.status_code, answer.json["stat"]) == (200, "ERR_BAD_PARAMS")
    assert answer.json["msg"]
    assert quick_desk.call("list_jobs")["data"]["total"] == 0


def _too_long(name: str, length: int) -> dict[str, Any]:
    return {name: "x" * length}


@pytest.mark.parametrize(
    ("given", "stat"),
    [
        ({"job_type": "unheard_of"}, "ERR_JOB_TYPE_NOT_EXISTS"),
        ({"job_type": "../../etc/passwd"}, "ERR_JOB_TYPE_NOT_EXISTS"),
        ({"job_extra": [1]}, "ERR_JOB_EXTRA_INVALID"),
        ({"job_extra": "no json"}, "ERR_JOB_EXTRA_INVALID"),
        ({"job_extra": "[1]"}, "ERR_JOB_EXTRA_INVALID"),
        ({"job_extra": None}, "ERR_JOB_EXTRA_INVALID"),
        ({"job_extra": 7}, "ERR_JOB_EXTRA_INVALID"),
        ({"job_extra": json.dumps({"k": "x" * (10_241 - 9)})}, "ERR_JOB_CREATE_FAILED"),
        ({"job_extra": {"k": "x" * (10_241 - 9)}}, "ERR_JOB_CREATE_FAILED"),
        ({"job_type": "hello"}, "ERR_JOB_CREATE_FAILED"),
        ({"job_type": "hello_lock", "job_extra": {"str_info": 5}}, "ERR_JOB_CREATE_FAILED"),
        (_too_long("job_name", 65), "ERR_JOB_CREATE_FAILED"),
        (_too_long("job_namespace", 65), "ERR_JOB_CREATE_FAILED"),
    ],
)
def test_a_refused_job_leaves_no_row_and_burns_no_name(quick_desk: JobDesk, given: dict[str, Any], stat: str) -> None:
    job = {"job_namespace": "S001", "job_type": "ping", "job_name": "wanted"}

    answer = quick_desk.call("create_job", **(job | given))

    assert answer["stat"] == stat
    assert quick_desk.call("list_jobs")["data"]["total"] == 0
    assert quick_desk.call("create_job", **job)["stat"] == "OK"


def test_a_job_extra_of_exactly_the_limit_is_taken(quick_desk: JobDesk) -> None:
    text = json.dumps({"k": "x" * (10_240 - 9)})

    assert len(text) == 10_240
    assert quick_desk.detail(quick_desk.create("ping", job_extra=text))["job_extra"] == text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f'{ADD}, dependencies=["a"])', "itself"),
        (f'{ADD}, dependencies=["b"])\n    self.add_task("b", "/demo_api/ping", dependencies=["a"])', "cycle"),
        (f'{ADD}, dependencies=["nobody"])', "unknown"),
        (f'{ADD})\n    self.add_task("a", "/demo_api/ping")', "twice"),
        ("def workflow(self):\n    self.add_task('a\\nb', '/demo_api/ping')", "label"),
        ("def workflow(self):\n    self.add_task('a\"b', '/demo_api/ping')", "label"),
        ("def workflow(self):\n    self.add_task('', '/demo_api/ping')", "label"),
        ("def workflow(self):\n    self.add_task('a' * 65, '/demo_api/ping')", "longer"),
        ("def workflow(self):\n    self.add_task('a', 'rm -rf /')", "neither a handler"),
        ("def workflow(self):\n    self.add_task('a', '/demo_api/../ping')", "neither a handler"),
        (f'{ADD}, requires=["all_taskdata"])', "all_taskdata"),
        (f'{ADD}, requires=["x" * 1025])', "longer"),
        (f"{ADD}, params=5)", "object"),
        (f'{ADD}, params={{"a": float("nan")}})', "JSON"),
        (f"{ADD}, timeout=0)", "timeout"),
        (f'{ADD}, retrymax="many")', "whole number"),
        ("def workflow(self):\n    pass", "no task"),
        ("def workflow(self):\n    for n in range(501):\n        self.add_task(f'a{n}', '/demo_api/ping')", "500"),
        ("def workflow(self):\n    raise KeyError('oh')", "oh"),
        ("def params_check(self):\n    raise SystemExit(3)", "3"),
        (f"def params_check(self):\n    self.job_timeout = -1\n{ADD})", "job_timeout"),
        (f"def params_check(self):\n    self.job_tags = 'x' * 129\n{ADD})", "job_tags"),
        (f"def params_check(self):\n    self.job_locks = 'x' * 65\n{ADD})", "job_locks"),
    ],
)
def test_what_a_plugin_may_not_add_refuses_the_job_with_the_reason(
    quick_desk: JobDesk, plugin_dir: Path, body: str, said: str
) -> None:
    write_plugin(plugin_dir, "odd", body)

    answer = quick_desk.call("create_job", job_namespace="S001", job_type="odd")

    assert (answer["stat"], said in answer["msg"]) == ("ERR_JOB_CREATE_FAILED", True), answer
    assert quick_desk.call("list_jobs")["data"]["total"] == 0


def test_task_functions_outside_the_configured_names_are_refused(tmp_path: Path, plugin_dir: Path) -> None:
    desk = make_desk(f"sqlite:///{tmp_path}/x.db", plugin_dirs=[plugin_dir], task_names=["gm_task"])
    write_plugin(plugin_dir, "odd", 'def workflow(self):\n    self.add_task("a", "os.system")')

    answer = desk.call("create_job", job_namespace="S001", job_type="odd")

    assert answer["stat"] == "ERR_JOB_CREATE_FAILED"


def test_checks_come_in_the_order_of_the_contract(quick_desk: JobDesk) -> None:
    quick_desk.create("ping", job_name="taken")
    wrong = {"job_namespace": "S001", "job_type": "unheard_of", "job_extra": [], "job_name": "taken"}

    stats = [
        quick_desk.call("create_job", **wrong)["stat"],
        quick_desk.call("create_job", **wrong | {"job_name": "free"})["stat"],
        quick_desk.call("create_job", **wrong | {"job_name": "free", "job_type": "hello"})["stat"],
        quick_desk.call("create_job", **wrong | {"job_name": "free", "job_type": "hello", "job_extra": {}})["stat"],
    ]

    assert stats == ["ERR_JOB_EXIST", "ERR_JOB_TYPE_NOT_EXISTS", "ERR_JOB_EXTRA_INVALID", "ERR_JOB_CREATE_FAILED"]


def test_of_twenty_creates_of_one_name_one_is_ok(desk: JobDesk) -> None:
    with ThreadPoolExecutor(20) as callers:
        body = json.dumps({"job_namespace": "S001", "job_type": "ping", "job_name": "one"})
        answers = list(callers.map(lambda _: desk.send("create_job", body).json["stat"], range(20)))

    assert sorted(answers) == ["ERR_JOB_EXIST"] * 19 + ["OK"]
    assert desk.call("list_jobs")["data"]["total"] == 1


def test_id_and_name_must_name_one_job(desk: JobDesk) -> None:
    first, second = desk.create(job_name="first"), desk.create(job_name="second")

    agreeing = desk.call("get_job_detail", job_id=first, job_name="first")
    differing = desk.call("get_job_detail", job_id=second, job_name="first")
    half = desk.call("get_job_detail", job_id=second, job_name="nobody")
    by_name = desk.call("list_tasks", job_name="second")

    assert (agreeing["stat"], differing["stat"], half["stat"]) == ("OK", "ERR_BAD_PARAMS", "ERR_BAD_PARAMS")
    assert {task["job_id"] for task in by_name["data"]["list"]} == {second}


def test_what_does_not_exist_is_said_so(quick_desk: JobDesk) -> None:
    assert quick_desk.call("get_job_detail", job_id=9) | {"msg": ""} == {
        "stat": "ERR_JOB_NOT_EXIST",
        "msg": "",
        "data": {},
    }
    assert quick_desk.call("retry_job", job_name="x" * 65)["stat"] == "ERR_JOB_NOT_EXIST"
    assert quick_desk.call("list_tasks", job_id=9)["stat"] == "ERR_JOB_NOT_EXIST"
    assert quick_desk.call("get_task", task_id=9)["stat"] == "ERR_TASK_NOT_EXIST"
    assert quick_desk.call("delete_job", job_id=9) == {"stat": "OK"}


def test_tasks_are_listed_by_state_and_one_by_one(quick_desk: JobDesk) -> None:
    job_id = quick_desk.create()

    waiting = quick_desk.call("list_tasks", job_id=job_id, task_status="waiting")["data"]["list"]
    alias = quick_desk.call("get_tasklist_by_jobid", job_id=job_id)["data"]["list"]
    one = quick_desk.call("get_task", task_id=waiting[0]["task_id"])["data"]

    assert [task["task_label"] for task in waiting] == ["task2"]
    assert [task["task_label"] for task in alias] == ["task1", "task2"]
    assert one == waiting[0]


def test_jobs_are_filtered_sorted_and_paged(desk: JobDesk) -> None:
    for number in range(5):
        desk.create("ping", job_name=f"job-{number}", job_namespace=f"S00{number % 2}")
    desk.create("hello_lock", job_name="tagged", job_extra={"str_info": "x", "job_tags": "region=bj,flag=redis"})

    def names(**given: Any) -> list[str]:
        return [job["job_name"] for job in desk.call("list_jobs", **given)["data"]["list"]]

    assert names() == ["tagged", "job-4", "job-3", "job-2", "job-1", "job-0"]
    assert names(page_size=2, page_index=2) == ["job-3", "job-2"]
    assert names(job_name="job-%", orderBy="job_name", orderDir="asc", page_size=2) == ["job-0", "job-1"]
    assert names(job_namespace="S000", job_type="ping") == ["job-4", "job-2", "job-0"]
    assert names(job_tag="region=bj") == ["tagged"]
    assert names(job_tag="region=b") == names(job_tag="egion=bj") == []
    assert names(job_status="failed") == []
    assert desk.call("list_jobs", page_size=1)["data"]["total"] == 6


@pytest.mark.parametrize("text", ["' or '1'='1", '"; drop table workflow_job; --', "%' --", "\\", "a\nb", "x"])
def test_sql_in_filters_finds_nothing_and_breaks_nothing(desk: JobDesk, text: str) -> None:
    desk.create(job_name="there")

    for name in (
        "job_namespace",
        "job_client",
        "job_reqid",
        "job_name",
        "job_status",
        "job_type",
        "ret_stat",
        "job_tag",
    ):
        assert desk.call("list_jobs", **{name: text})["data"]["total"] == 0, name
    assert desk.call("list_jobs")["data"]["total"] == 1


def test_the_operator_is_kept_whichever_way_its_header_is_written(quick_desk: JobDesk) -> None:
    body = json.dumps({"job_namespace": "S001", "job_type": "ping"})
    name = "王芳".encode().decode("latin-1")

    job_id = quick_desk.send("create_job", body, **{"X-Username": name}).json["job_id"]

    assert quick_desk.detail(job_id)["operator"] == "王芳"


def test_an_operator_in_the_query_stands_before_the_header(quick_desk: JobDesk) -> None:
    body = json.dumps({"job_namespace": "S001", "job_type": "ping"})

    job_id = quick_desk.send("create_job", body, "x_username=%E7%8E%8B", **{"X-Username": "boss"}).json["job_id"]
    twice = quick_desk.send("create_job", body, "x_namespace=S001&x_namespace=S002").json["stat"]
    in_the_body = quick_desk.call("list_jobs", x_namespace="S001")["stat"]

    assert quick_desk.detail(job_id)["operator"] == "王"
    assert (twice, in_the_body) == ("ERR_BAD_PARAMS", "ERR_BAD_PARAMS")


def test_a_caller_bound_to_a_namespace_sees_no_other(desk: JobDesk) -> None:
    ours, theirs = desk.create(job_name="ours"), desk.create(job_name="theirs", job_namespace="S002")
    bound = "x_namespace=S001"

    listed = desk.send("list_jobs", "{}", bound).json["data"]
    task_id = desk.task_rows(theirs)[0]["task_id"]
    stats = {
        name: desk.send(name, json.dumps(given), bound).json["stat"]
        for name, given in {
            "get_job_detail": {"job_id": theirs},
            "list_tasks": {"job_name": "theirs"},
            "retry_job": {"job_id": theirs},
            "delete_job": {"job_id": theirs},
            "get_task": {"task_id": task_id},
        }.items()
    }

    assert [job["job_id"] for job in listed["list"]] == [ours]
    assert desk.send("list_jobs", '{"job_namespace":"S002"}', bound).json["data"]["total"] == 0
    assert stats == {
        "get_job_detail": "ERR_JOB_NOT_EXIST",
        "list_tasks": "ERR_JOB_NOT_EXIST",
        "retry_job": "ERR_JOB_NOT_EXIST",
        "delete_job": "OK",
        "get_task": "ERR_TASK_NOT_EXIST",
    }
    assert desk.detail(theirs)["job_status"] == "started"
