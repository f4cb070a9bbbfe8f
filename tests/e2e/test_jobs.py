"""Workflow jobs point by point: real processes and sockets, on each of the three things a platform stands on."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from gm_async_task.workflow.drawing import COLOURS
from gm_async_task.workflow.states import TaskStatus
from tests.support.cluster import Cluster
from tests.support.import_jobs import order_rows
from tests.support.job_client import JOB_SETTINGS, JobClient, task
from tests.support.nginx import Nginx, PlainNginx
from tests.support.platforms import KINDS
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module", params=KINDS)
def platform(request: pytest.FixtureRequest, make_platform: Callable[..., Cluster]) -> Cluster:
    """One platform of each kind with the tests' own plugins and handlers."""
    return make_platform(request.param, **JOB_SETTINGS)


@pytest.fixture
def jobs(platform: Cluster) -> JobClient:
    """A holder of the service key."""
    return JobClient.of(platform)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """A file that handlers wait for, there at last whatever a test does."""
    path = tmp_path / "gate"
    yield path
    path.touch()


def waiting(gate: Path, label: str = "a") -> dict[str, Any]:
    """Return a task that runs until its gate is there."""
    return task(label, "/tries/wait_for", params={"path": str(gate)})


def is_running(jobs: JobClient, job_id: int, label: str = "a") -> bool:
    """Tell whether a worker has the task."""
    return str(jobs.tasks(job_id)[label]["task_status"]) == "started"


def lines(path: Path) -> list[str]:
    """Return what handlers wrote."""
    return path.read_text().splitlines() if path.exists() else []


def test_the_shipped_jobs_run(jobs: JobClient) -> None:
    created = {
        "ping": jobs.create("ping"),
        "hello": jobs.create("hello", job_extra={"str_info": "hi"}),
        "hello_params": jobs.create("hello_params", job_extra='{"str_info": "given"}'),
        "hello_lock": jobs.create("hello_lock", job_extra={"str_info": "x", "job_locks": "e2e", "job_timeout": 60}),
        "ping_notifier": jobs.create("ping_notifier"),
    }

    ended = {name: jobs.ended(job_id) for name, job_id in created.items()}

    assert {job["ret_stat"] for job in ended.values()} == {"OK"}
    assert [each.get("str_info") for each in ended["hello"]["ret_data"]] == ["hi", None]
    assert ended["hello_params"]["ret_data"][0]["str_info"] == "given"
    assert (ended["hello_lock"]["job_lock"], ended["hello_lock"]["job_timeout"]) == ("e2e", 60)


def test_the_operator_passes_with_an_underscore_and_with_a_dash(
    jobs: JobClient, tmp_path: Path, nginx_program: str
) -> None:
    direct = urlsplit(jobs.url)
    body = json.dumps({"job_namespace": "S001", "job_type": "ping"}).encode()

    def create(port: int, header: str) -> str:
        request = (
            f"POST /xingqiao/create_job HTTP/1.1\r\nHost: gm\r\nX-Auth-Key: {jobs.key}\r\n"
            f"{header}: wang\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(request.encode() + body)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return str(jobs.detail(json.loads(answer.split(b"\r\n\r\n", 1)[1])["job_id"])["operator"])

    headers = ("x_username", "X-Username", "x_user_name")
    with PlainNginx(tmp_path / "nginx", direct.netloc) as nginx:
        assert [create(int(direct.port or 0), header) for header in headers] == ["wang", "wang", "-"]
        assert [create(nginx.port, header) for header in headers] == ["wang", "wang", "-"]


def test_through_nginx_and_gm_service_a_station_sees_its_own_jobs_under_its_own_name(
    platform: Cluster, jobs: JobClient, tmp_path: Path, nginx_program: str
) -> None:
    theirs = jobs.create("ping", job_namespace="S002")
    pretending = {"x_username": "boss", "X-Username": "boss", "X-Auth-Key": jobs.key}
    with Nginx(tmp_path / "nginx", platform.environment["GM_SERVICE_BIND"]) as nginx:
        sent = {"Authorization": f"Bearer {platform.first.token}", **pretending}

        def ask(verb: str, **given: Any) -> requests.Response:
            return requests.post(f"{nginx.url}/xingqiao/{verb}", json=given, headers=sent, timeout=30)

        created = ask("create_job", job_type="ping", job_namespace="S002").json()
        seen = [ask(verb, job_id=theirs).json()["stat"] for verb in ("get_job_detail", "list_tasks", "retry_job")]
        drawn = ask("get_graph", job_id=created["job_id"], format="svg")

    job = jobs.ended(created["job_id"])
    assert (job["job_namespace"], job["operator"], job["ret_stat"]) == ("S001", "api", "OK")
    assert seen == ["ERR_JOB_NOT_EXIST"] * 3
    assert drawn.headers["Content-Type"].startswith("image/svg+xml")


def test_parameters_come_from_dependencies_then_task_then_job_and_one_result_is_saved(jobs: JobClient) -> None:
    hello = "/demo_api/hello"
    job_id = jobs.create_graph(
        task("job", hello, requires=["str_info"]),
        task("extra", hello, requires=["str_info"], extra={"str_info": "of the task"}, provides=["str_info"]),
        task("given", hello, "extra", params={"str_info": "given"}, requires=["str_info"]),
        task("before", hello, "extra", requires=["str_info"], extra={"str_info": "not this"}),
        task("all", "/demo_api/collect", "job", "extra", "given", "before", requires=["all_taskdata"], is_save=True),
        str_info="of the job",
    )

    job = jobs.ended(job_id)

    assert [each["str_info"] for each in job["ret_data"]] == ["of the job", "of the task", "given", "of the task"]
    assert {each["stat"] for each in job["ret_data"]} == {"OK"}


def test_every_cause_of_a_failure_has_its_stat(jobs: JobClient) -> None:
    causes = {
        "ERR_OWN": task("a", "/tries/fail"),
        "ERR_SERVER_EXCEPTION": task("a", "/tries/blow_up"),
        "ERR_BAD_PARAMS": task("a", "/demo_api/hello", params={"unheard_of": 1}, retrymax=3),
        "ERR_HANDLER_NOT_EXISTS": task("a", "/demo_api/unheard_of", retrymax=3),
        "ERR_TASK_REQUIRES": task("a", requires=["unheard_of"]),
        "ERR_TASK_PROVIDES": task("a", provides=["unheard_of"]),
        "ERR_TASK_TIMEOUT": task("a", "/tries/sleep", params={"seconds": 30}, timeout=1),
    }

    created = {stat: jobs.create_graph(cause) for stat, cause in causes.items()}

    assert {stat: jobs.ended(job_id)["ret_stat"] for stat, job_id in created.items()} == {stat: stat for stat in causes}
    assert jobs.tasks(created["ERR_BAD_PARAMS"])["a"]["task_retrycount"] == 0


def test_tries_and_retries_run_again_what_failed_alone(jobs: JobClient, tmp_path: Path) -> None:
    job_id = jobs.create_graph(
        task("a", "/tries/note", params={"path": str(tmp_path / "a")}),
        task("b", "/tries/fail_until", "a", params={"attempt": 3}, retrymax=1),
        task("c", "/demo_api/ping", "b"),
    )
    failed = jobs.ended(job_id)

    retried = jobs.call("retry_job", job_id=job_id)
    ended = jobs.ended(job_id)

    assert (failed["job_status"], failed["ret_stat"]) == ("failed", "ERR_NOT_YET")
    assert (retried, ended["job_status"]) == ({"stat": "OK", "job_id": job_id}, "finished")
    assert len(lines(tmp_path / "a")) == 1


def test_a_lock_is_one_jobs_until_it_ends_or_is_deleted(jobs: JobClient, gate: Path) -> None:
    first = jobs.create_graph(waiting(gate), job_locks="e2e-lock,other")
    second = {"job_namespace": "S001", "job_type": "graph", "job_name": f"locked-{first}"}
    second["job_extra"] = json.dumps({"tasks": [task("a")], "job_locks": "e2e-lock"})

    refused = jobs.call("create_job", **second)
    wait_for(lambda: is_running(jobs, first), 20, "the handler")
    deleted = [jobs.call("delete_job", job_id=first)["stat"] for _ in range(2)]
    accepted = jobs.call("create_job", **second)
    gate.touch()

    assert (refused["stat"], refused["job_id"]) == ("ERR_JOB_LOCKED", first)
    assert deleted == ["OK", "OK"]
    assert jobs.call("get_job_detail", job_id=first)["stat"] == "ERR_JOB_NOT_EXIST"
    assert jobs.ended(accepted["job_id"])["ret_stat"] == "OK"


def test_a_notifier_is_told_in_order_and_may_raise(jobs: JobClient, tmp_path: Path) -> None:
    raising = jobs.create_graph(task("a"), notify_error=True)
    told = jobs.create_graph(task("a", "/tries/fail_until", params={"attempt": 2}), notify=str(tmp_path / "told"))
    jobs.ended(told)

    jobs.call("retry_job", job_id=told)
    wait_for(lambda: len(lines(tmp_path / "told")) >= 4, 20, "all notices")

    states = ["started ", "failed ERR_NOT_YET", "started ", "finished OK"]
    assert lines(tmp_path / "told") == [f"{told} {state}" for state in states]
    assert jobs.ended(raising)["ret_stat"] == "OK"


def test_statistics_count_what_has_ended(jobs: JobClient, gate: Path) -> None:
    def create(first: dict[str, Any], region: str) -> int:
        return jobs.create_graph(first, job_tags=f"region={region},suite=counted")

    ends = [create(task("a"), "bj"), create(task("a"), "bj2"), create(task("a"), "gz")]
    ends.append(create(task("a", "/tries/fail"), "bj"))
    create(waiting(gate), "gz")
    for job_id in ends:
        jobs.ended(job_id)

    def chart(name: str, **given: Any) -> Any:
        given |= {"job_type": "graph", "job_tag": "suite=counted"}
        return jobs.call(f"statistics_{name}", **given)["data"]["series"]

    rate, excluded = chart("success_rate", group_by="month", exclude_retstat="ERR_OWN")
    tags = chart("jobtag_ratio", jobtag_name="region", jobtag_values="gz,nowhere,bj")[0]["data"]
    stats = chart("retstat_ratio")[0]["data"]

    assert (rate["data"], excluded["name"], excluded["data"]) == ([75.0], "rate_exclude_ERR_OWN", [100.0])
    assert [(each["name"], each["value"]) for each in tags] == [("gz", 1), ("nowhere", 0), ("bj", 2)]
    assert [(each["name"], each["value"]) for each in stats] == [("ERR_OWN", 1), ("OK", 3)]


@pytest.mark.usefixtures("graphviz")
def test_the_graph_shows_states_by_their_colours(jobs: JobClient, gate: Path) -> None:
    job_id = jobs.create_graph(task("done"), waiting(gate, "busy"), task("next", "/demo_api/ping", "done", "busy"))
    wait_for(lambda: is_running(jobs, job_id, "busy"), 20, "the handler")
    wait_for(lambda: jobs.tasks(job_id)["done"]["task_status"] == "finished", 20, "the other")

    png, svg, dot = (jobs.ask("get_graph", job_id=job_id, format=each) for each in ("png", "svg", "dot"))

    assert (png.headers["Content-Type"], png.content[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    for status in (TaskStatus.FINISHED, TaskStatus.STARTED, TaskStatus.WAITING):
        assert COLOURS[status] in svg.text and COLOURS[status] in dot.text
    assert '"done" -> "next";' in dot.text and '"busy" -> "next";' in dot.text


def test_many_clients_at_once_meet_no_fault(jobs: JobClient) -> None:
    def ask(number: int) -> tuple[int, str]:
        name, given = random.Random(number).choice(
            [
                ("create_job", {"job_namespace": "S001", "job_type": "ping"}),
                ("list_jobs", {"page_size": 5}),
                ("get_job_detail", {"job_id": 1}),
                ("list_tasks", {"job_id": 1}),
                ("statistics_success_rate", {"job_type": "ping"}),
                ("retry_job", {"job_id": 1}),
            ]
        )
        answer = jobs.ask(name, **given)
        return answer.status_code, answer.headers["x-reqid"]

    with ThreadPoolExecutor(40) as clients:
        answers = list(clients.map(ask, range(400)))

    assert {status for status, _ in answers} == {200}
    assert len({reqid for _, reqid in answers}) == 400


def test_of_twenty_at_once_one_creates_and_one_retries(jobs: JobClient, tmp_path: Path) -> None:
    note = task("a", "/tries/note_then_fail_until", params={"path": str(tmp_path / "a"), "attempt": 2})
    given = {"job_namespace": "S001", "job_type": "graph", "job_name": "once", "job_extra": {"tasks": [note]}}

    with ThreadPoolExecutor(20) as clients:
        created = list(clients.map(lambda _: jobs.call("create_job", **given)["stat"], range(20)))
        job_id = jobs.call("get_job_detail", job_name="once")["data"]["job_id"]
        failed = jobs.ended(job_id)
        retried = list(clients.map(lambda _: jobs.call("retry_job", job_id=job_id)["stat"], range(20)))

    assert (sorted(created), failed["ret_stat"]) == (["ERR_JOB_EXIST"] * 19 + ["OK"], "ERR_NOT_YET")
    assert sorted(retried) == ["ERR_JOB_STATUS_NOT_FAILED"] * 19 + ["OK"]
    assert jobs.ended(job_id)["ret_stat"] == "OK"
    assert [line.split()[1] for line in lines(tmp_path / "a")] == ["1", "2"]


def test_jobs_created_while_the_broker_is_killed_run_once_it_is_back(
    platform: Cluster, jobs: JobClient, tmp_path: Path
) -> None:
    """Behind others: a quorum queue of RabbitMQ 3.10 finds no leader again if it is killed in its first second."""

    def create(number: int) -> int:
        return jobs.create_graph(task("a", "/tries/note", params={"path": str(tmp_path / str(number))}))

    with ThreadPoolExecutor(4) as clients:
        creations = [clients.submit(create, number) for number in range(24)]
        wait_for(lambda: sum(each.done() for each in creations) >= 4, 20, "some jobs")
        platform.broker.kill()
        try:
            created = [each.result() for each in creations]
        finally:
            platform.broker.start()

    assert {jobs.ended(job_id, 45)["ret_stat"] for job_id in created} == {"OK"}
    assert [[line.split()[1] for line in lines(tmp_path / str(number))] for number in range(24)] == [["1"]] * 24


def test_an_order_file_is_taken_in_as_one_job(platform: Cluster, jobs: JobClient) -> None:
    body = {"task_id": "intake-1", "time_config_id": "whole-day", "file_name": "orders.xlsx"}
    first = platform.first.post("/station/order/batch/intake", {**body, "order_data": order_rows(20, "intake-")}).json()
    again = platform.first.post("/station/order/batch/intake", {**body, "order_data": order_rows(20, "intake-")}).json()
    job_id = first["data"]["job_id"]

    ended = jobs.ended(job_id, 60)

    assert (first["code"], again["data"]["job_id"]) == (0, job_id)
    assert (ended["job_status"], ended["ret_stat"], ended["job_namespace"]) == ("finished", "OK", "S001")
    saved = ended["ret_data"]
    assert (saved["total"], saved["created"], saved["failed"]) == (20, 18, 2)
    exported = platform.first.get(saved["links"]["export"])
    assert exported.status_code == 200 and exported.content[:2] == b"PK"
    assert platform.first.get(saved["links"]["failed_rows"]).content[:2] == b"PK"
    assert platform.second.get(saved["links"]["export"]).status_code == 404
    seen = platform.first.get("/xingqiao/get_job_detail", job_id=job_id).json()
    assert seen["data"]["ret_data"]["links"] == saved["links"]
    assert platform.second.get("/xingqiao/get_job_detail", job_id=job_id).json()["stat"] == "ERR_JOB_NOT_EXIST"


def test_a_file_of_which_nothing_would_become_an_order_goes_no_further(platform: Cluster, jobs: JobClient) -> None:
    rows = order_rows(3, "bad-", bad_every=1)
    body = {"task_id": "intake-2", "time_config_id": "whole-day", "file_name": "bad.xlsx", "order_data": rows}

    job_id = platform.first.post("/station/order/batch/intake", body).json()["data"]["job_id"]

    assert jobs.ended(job_id)["ret_stat"] == "ERR_NOTHING_TO_IMPORT"
    assert jobs.tasks(job_id)["import"]["task_status"] == "waiting"
    assert jobs.tasks(job_id)["check"]["task_retrycount"] == 0, "the answer is the same however often it is asked"


def test_no_log_shows_a_fault_of_ours(platform: Cluster) -> None:
    logs = platform.logs()

    assert [name for name, secret in platform.secrets.items() if secret in logs] == []
    assert "request_failed" not in logs and "sweep_failed" not in logs
