"""Workflow jobs over real sockets with real processes, point by point; workers and children killed in the middle."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.cluster import Cluster
from tests.support.import_jobs import order_rows
from tests.support.job_client import JOB_SETTINGS, JobClient, task
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def platform(make_platform: Callable[..., Cluster]) -> Iterator[Cluster]:
    """One embedded platform with the tests' own plugins and handlers."""
    return make_platform("embedded", **JOB_SETTINGS)


@pytest.fixture
def jobs(platform: Cluster) -> JobClient:
    """A holder of the service key."""
    return JobClient.of(platform)


def lines(path: Path) -> list[str]:
    """Return what handlers wrote."""
    return path.read_text().splitlines() if path.exists() else []


def test_the_shipped_jobs_run(jobs: JobClient) -> None:
    ping = jobs.ended(jobs.create("ping"))
    hello = jobs.ended(jobs.create("hello", job_extra={"str_info": "hi"}))
    given = jobs.ended(jobs.create("hello_params", job_extra='{"str_info": "given"}'))
    locked = jobs.ended(jobs.create("hello_lock", job_extra={"str_info": "x", "job_locks": "e2e", "job_timeout": 60}))
    told = jobs.ended(jobs.create("ping_notifier"))

    assert {job["ret_stat"] for job in (ping, hello, given, locked, told)} == {"OK"}
    assert [each.get("str_info") for each in hello["ret_data"]] == ["hi", None]
    assert given["ret_data"][0]["str_info"] == "given"
    assert (locked["job_lock"], locked["job_timeout"]) == ("e2e", 60)


def test_the_operator_passes_with_an_underscore_and_with_a_dash(platform: Cluster, jobs: JobClient) -> None:
    address = urlsplit(jobs.url)
    body = json.dumps({"job_namespace": "S001", "job_type": "ping"}).encode()

    def create(header: str) -> str:
        request = (
            f"POST /xingqiao/create_job HTTP/1.1\r\nHost: {address.netloc}\r\nX-Auth-Key: {jobs.key}\r\n"
            f"{header}: wang\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection((str(address.hostname), int(address.port or 0)), 10) as connection:
            connection.sendall(request.encode() + body)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return str(jobs.detail(json.loads(answer.split(b"\r\n\r\n", 1)[1])["job_id"])["operator"])

    assert [create("x_username"), create("X-Username"), create("x_user_name")] == ["wang", "wang", "-"]


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
    note = {"path": str(tmp_path / "a")}
    job_id = jobs.create_graph(
        task("a", "/tries/note", params=note),
        task("b", "/tries/fail_until", "a", params={"attempt": 3}, retrymax=1),
        task("c", "/demo_api/ping", "b"),
    )
    failed = jobs.ended(job_id)

    retried = jobs.call("retry_job", job_id=job_id)
    ended = jobs.ended(job_id)

    assert (failed["job_status"], failed["ret_stat"]) == ("failed", "ERR_NOT_YET")
    assert (retried, ended["job_status"]) == ({"stat": "OK", "job_id": job_id}, "finished")
    assert len(lines(tmp_path / "a")) == 1


def test_a_handler_whose_process_dies_runs_again_as_another_attempt(jobs: JobClient, tmp_path: Path) -> None:
    job_id = jobs.create_graph(task("a", "/tries/die_once", params={"path": str(tmp_path / "a")}))

    assert jobs.ended(job_id)["ret_stat"] == "OK"
    assert [line.split()[1] for line in lines(tmp_path / "a")] == ["1", "2"]


def test_a_job_over_its_time_fails_while_no_worker_is_alive(platform: Cluster, jobs: JobClient) -> None:
    platform.processes["gm_task"].kill()
    job_id = jobs.create("ping", job_timeout=1)

    ended = jobs.ended(job_id, 15)
    platform.start("gm_task")

    assert (ended["job_status"], ended["ret_stat"]) == ("failed", "ERR_JOB_EXE_TIMEOUT")
    assert jobs.call("retry_job", job_id=job_id)["stat"] == "OK"


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


def test_graphs_under_killed_workers_do_every_node_once_and_in_order(
    platform: Cluster, jobs: JobClient, tmp_path: Path
) -> None:
    """R18 in small: what a handler does is keyed by its task, as its attempts may be several."""
    chance = random.Random(18)
    created = {jobs.create_graph(*random_graph(chance, 8, tmp_path / f"job-{number}")): number for number in range(8)}
    for _ in range(3):
        wait_for(lambda: len(lines_of_all(tmp_path)) > 3, 60, "some progress")
        platform.processes["gm_task"].kill()
        platform.start("gm_task")

    ends = {job_id: jobs.ended(job_id, 120)["ret_stat"] for job_id in created}

    assert set(ends.values()) == {"OK"}
    for job_id, number in created.items():
        ran = [line.split()[0] for line in lines(tmp_path / f"job-{number}")]
        rows = jobs.tasks(job_id)
        ids = {str(row["task_id"]): label for label, row in rows.items()}
        first = {ids[task_id]: ran.index(task_id) for task_id in set(ran)}
        assert set(first) == set(rows)
        for label, row in rows.items():
            assert all(first[each] < first[label] for each in row["task_dependencies"].split(",") if each)


def random_graph(chance: random.Random, most: int, path: Path) -> list[dict[str, object]]:
    """Return tasks that each write a line of their own."""
    count = chance.randint(2, most)
    return [
        task(
            f"t{number}",
            "/tries/note",
            *(f"t{each}" for each in sorted(chance.sample(range(number), min(number, chance.randint(0, 3))))),
            params={"path": str(path), "seconds": 0.05},
        )
        for number in range(count)
    ]


def lines_of_all(folder: Path) -> list[str]:
    """Return what all handlers wrote."""
    return [line for path in folder.glob("job-*") for line in lines(path)]


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


def test_no_log_shows_a_fault_of_ours(platform: Cluster) -> None:
    logs = platform.logs()

    assert [name for name, secret in platform.secrets.items() if secret in logs] == []
    assert "request_failed" not in logs and "sweep_failed" not in logs
