"""What hangs without being gone: a frozen broker makes nobody sick, a frozen task service holds nobody for long."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.support.cluster import Cluster
from tests.support.processes import free_port
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(240)
READY_SECONDS = 2.5
"""2 s are promised; a busy machine adds its own"""


@pytest.fixture(scope="module", params=["rabbitmq", "redis"])
def platform(request: pytest.FixtureRequest, make_platform: Callable[..., Cluster]) -> Iterator[Cluster]:
    bind = f"127.0.0.1:{free_port()}"
    cluster = make_platform(request.param, GM_WORKER_BIND=bind, GM_WORKER_STALL_SECONDS="15")
    wait_for(lambda: _get(f"http://{bind}", "/readyz").ok, 30, "a worker", not_yet=requests.RequestException)
    yield cluster


def _get(url: str, path: str) -> requests.Response:
    return requests.get(url + path, timeout=20)


def _worker(platform: Cluster) -> str:
    return f"http://{platform.environment['GM_WORKER_BIND']}"


def test_frozen_broker_makes_nobody_sick_and_no_service_unready(platform: Cluster) -> None:
    until = time.monotonic() + 25
    platform.broker.freeze()
    try:
        task_id = platform.tasks.create(
            "S001", "tests.support.task_functions.double", {"n": 4}, queue="gm_task"
        ).task_id

        def stays_well() -> bool:
            assert _get(_worker(platform), "/healthz").status_code == 200
            assert _get(platform.environment["GM_SERVICE_URL"], "/readyz").status_code == 200
            return time.monotonic() > until

        wait_for(stays_well, 60, "25 seconds of it")
    finally:
        platform.broker.thaw()

    assert platform.ended(task_id).result["doubled"] == 8
    wait_for(lambda: _get(_worker(platform), "/readyz").ok, 30, "a ready worker")


def test_frozen_task_service_makes_the_order_service_unready_in_time(make_platform: Callable[..., Cluster]) -> None:
    platform = make_platform("embedded")
    url = platform.environment["GM_SERVICE_URL"]
    pids = [platform.processes["gm_async_task"].pid]
    pids += [int(pid) for pid in Path(f"/proc/{pids[0]}/task/{pids[0]}/children").read_text().split()]
    _signal(pids, signal.SIGSTOP)
    try:
        began = time.monotonic()
        answer = _get(url, "/readyz")
        took = time.monotonic() - began
        with ThreadPoolExecutor(24) as asking:
            asked = [asking.submit(platform.first.get, "/task/list") for _ in range(24)]
            assert {each.result().status_code for each in asked} == {503}
        began = time.monotonic()
        while_open = [platform.first.get("/task/list").status_code for _ in range(10)]
        health = _get(url, "/healthz").status_code
        fast = time.monotonic() - began
    finally:
        _signal(pids, signal.SIGCONT)

    assert (answer.status_code, took < READY_SECONDS) == (503, True)
    assert answer.json()["data"]["missing"] == {"task service": "it does not answer in time"}
    assert (while_open, health) == ([503] * 10, 200)
    assert fast < 15, "ten calls, each waited for, take 50 seconds"
    wait_for(lambda: _get(url, "/readyz").ok, 30, "a ready service")
    wait_for(lambda: platform.first.get("/task/list").ok, 30, "an answer")


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)
