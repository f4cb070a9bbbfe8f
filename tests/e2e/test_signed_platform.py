"""The whole platform with `GM_SIGNED_CALLS=require`: both jobs end right, a replay opens nothing, logs show nothing."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from shared.signing.signature import SCHEME
from shared.task_api.models import TaskStatus
from tests.support.cluster import Cluster
from tests.support.import_jobs import BOTH_ENDED_RIGHT, import_and_export
from tests.support.signed_calls import Request, post
from tests.support.waiting import wait_for

ADD = {"station_id": "S001", "task_name": "demo.work", "input": "{}"}
TIMES = 20

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def platform(make_platform: Callable[..., Cluster]) -> Iterator[Cluster]:
    """Two processes of each service."""
    processes = {"GM_ASYNC_TASK_WORKERS": "2", "GM_SERVICE_WORKERS": "2"}
    yield make_platform("embedded", GM_SIGNED_CALLS="require", **processes)


def _send(platform: Cluster, call: Request, *more_lines: str, head: str | None = None) -> int:
    """Send it over a connection of its own, so that any process may get it; return the status."""
    address = urlsplit(platform.environment["GM_ASYNC_TASK_URL"])
    lines = [
        head or f"{call.method} {call.target} HTTP/1.1",
        f"Host: {address.netloc}",
        f"Content-Type: {call.content_type}",
        f"Content-Length: {len(call.body)}",
        *(f"X-Auth-Key: {value}" for value in call.headers),
        *more_lines,
        "Connection: close",
    ]
    with closing(socket.create_connection((address.hostname or "", address.port or 0), timeout=10)) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + call.body)
        with connection.makefile("rb") as answer:
            return int(answer.readline().split()[1])


def _signed_add(platform: Cluster) -> Request:
    return post("/task/add", **ADD).signed(platform.secrets["GM_AUTH_KEY"])


def test_import_and_export_end_right(platform: Cluster) -> None:
    assert import_and_export(platform, "signed") == BOTH_ENDED_RIGHT


def test_a_function_of_a_project_runs(platform: Cluster) -> None:
    assert platform.ended(platform.submit("double", {"n": 21})).result["doubled"] == 42


def test_a_stations_job_runs(platform: Cluster) -> None:
    def ask(verb: str, **given: Any) -> Any:
        headers = {"Authorization": f"Bearer {platform.first.token}"}
        url = f"{platform.environment['GM_SERVICE_URL']}/xingqiao/{verb}"
        return requests.post(url, json=given, headers=headers, timeout=10).json()

    created = ask("create_job", job_type="ping")

    wait_for(lambda: ask("get_job_detail", job_id=created["job_id"])["data"]["job_status"] == "finished", 20, "the job")


def test_a_replay_opens_no_process(platform: Cluster) -> None:
    call = _signed_add(platform)

    statuses = [_send(platform, call) for _ in range(TIMES)]

    assert statuses == [200, *[401] * (TIMES - 1)]


def test_the_bare_key_opens_neither_service(platform: Cluster) -> None:
    key = {"X-Auth-Key": platform.secrets["GM_AUTH_KEY"]}

    answers = [
        requests.post(platform.environment[name] + path, json={}, headers=key, timeout=10).status_code
        for name, path in (("GM_ASYNC_TASK_URL", "/task/add"), ("GM_SERVICE_URL", "/no_login/station/order/batch/open"))
    ]

    assert answers == [401, 401]


def test_what_differs_on_the_wire_is_refused(platform: Cluster) -> None:
    host = platform.environment["GM_ASYNC_TASK_URL"]
    call = _signed_add(platform)

    statuses = {
        "the header twice": _send(platform, call, f"X-Auth-Key: {call.header}"),
        "spelt with an underscore": _send(platform, call.with_header(), f"X_Auth_Key: {call.header}"),
        "absolute address": _send(platform, call, head=f"POST {host}/task/add HTTP/1.1"),
        "another spelling of the path": _send(platform, call, head="POST /task/%61dd HTTP/1.1"),
        "small letters": _send(platform, call, head="post /task/add HTTP/1.1"),
        "nothing": _send(platform, call),
    }

    assert statuses.pop("nothing") == 200
    assert set(statuses.values()) <= {400, 401}, statuses


def test_no_log_shows_a_key_a_signature_or_a_fault_of_ours(platform: Cluster) -> None:
    logs = platform.logs()

    assert [name for name, secret in platform.secrets.items() if secret in logs] == []
    assert not re.search(rf"{SCHEME} key|sig=[0-9a-f]", logs)
    assert "request_failed" not in logs
    assert platform.tasks.list("S001", status=int(TaskStatus.RUNNING)) == []
