"""Who may call what, for every route that the service has; a route without an entry here fails the test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gm_service.routes.pages import PAGES
from gm_service.routes.xingqiao import CHANGES, LOOKS
from tests.support.service import Service

PUBLIC = [
    "GET /static/<path:filename>",
    "GET /openapi.json",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "POST /session",
    "GET /sign-in",
    *(f"GET {path}" for path in PAGES),
]
"""anybody; of a station's data they tell nothing (pages lead strangers to the sign-in page)"""

INTERNAL = [
    *(f"POST /no_login/station/order/batch/{verb}" for verb in ("create", "outcome", "open")),
    *(f"POST /no_login/station/order/intake/{verb}" for verb in ("check", "export_request")),
]
"""holders of the service key"""

OWN_SESSION = ["GET /session", "DELETE /session", "POST /session/end"]
"""a station's callers; they name no data"""

LISTS: dict[str, dict[str, Any]] = {
    "GET /task/list": {},
    "GET /async_task/list": {},
    "GET /pages/tasks": {},
    "GET /station/time_configs": {},
}
"""a station's callers; the parameters that list all"""

BY_ID: dict[str, dict[str, Any]] = {
    "GET /task/get": {"task_id": "{task_id}"},
    "GET /async_task/get": {"task_id": "{task_id}"},
    "GET /async_task/detail": {"task_id": "{task_id}"},
    "GET /pages/task": {"task_id": "{task_id}"},
    "POST /async_task/close": {"task_id": "{task_id}"},
    "GET /pages/profiles": {"task_id": "{task_id}"},
    "POST /pages/profile": {"task_id": "{task_id}"},
    "GET /pages/profile_report": {"task_id": "{task_id}", "record": "r"},
    "GET /station/download/async/<task_id>": {},
    "GET /station/order/batch/rows": {"task_id": "{task_id}"},
    "GET /station/order/batch/open_rows": {"task_id": "{task_id}"},
    "POST /station/order/batch/amend": {"task_id": "{task_id}", "rows": [{"index": 0}]},
}
"""a station's callers; the parameters that name another station's task"""

OTHER: dict[str, dict[str, Any]] = {
    "POST /task/clear_show": {"task_ids": ["{task_id}"]},
    "GET /station/sales_analysis/orderdetail": {"query_type": 1},
    "GET /station/sales_analysis/orderdetail/count": {"query_type": 1},
    "POST /station/order/batch/submit": {"task_id": "x"},
    "POST /station/order/batch/check": {},
    "POST /station/order/batch/intake": {"task_id": "x"},
    "GET /station/catalogue": {},
    "GET /station/order/batch/template": {},
    "POST /station/catalogue": {},
    "GET /station/download/sync/<key>": {},
    "POST /pages/operator": {"key": "x"},
}
"""a station's callers; isolation has tests of its own here or in the room of orders"""


JOBS = [
    *(f"POST /xingqiao/{verb}" for verb in CHANGES),
    *(f"{method} /xingqiao/{verb}" for verb in LOOKS for method in ("GET", "POST")),
]
"""a station's callers; every job that they name is looked for among the station's own (test_jobs_proxy.py)"""


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """The service with every route that settings may add."""
    return Service(tmp_path, profile_dir=tmp_path / "profiles", profile_key="operator-" + "k" * 32)


def routes(service: Service) -> Iterator[str]:
    """Name every route as `METHOD rule`."""
    for rule in service.app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {rule.rule}"


def ask(service: Service, route: str, parameters: dict[str, Any], task_id: int, headers: dict[str, str]) -> Any:
    """Call a route with the id filled in."""
    method, path = route.split(" ")
    path = path.replace("<task_id>", str(task_id)).replace("<key>", uuid.uuid4().hex)
    filled = {name: _fill(value, task_id) for name, value in parameters.items()}
    given = {"query_string": filled} if method == "GET" else {"json": filled}
    return service.app.test_client().open(path, method=method, headers=headers, **given)


def _fill(value: Any, task_id: int) -> Any:
    if isinstance(value, list):
        return [_fill(each, task_id) for each in value]
    return task_id if value == "{task_id}" else value


def test_every_route_says_whom_it_serves(service: Service) -> None:
    entries = [*PUBLIC, *INTERNAL, *OWN_SESSION, *LISTS, *BY_ID, *OTHER, *JOBS]

    assert sorted(routes(service)) == sorted(entries)


@pytest.mark.parametrize("route", [*OWN_SESSION, *LISTS, *BY_ID, *OTHER, *JOBS])
def test_station_routes_refuse_strangers(service: Service, route: str) -> None:
    task = service.add_task()
    parameters = {**LISTS, **BY_ID, **OTHER}.get(route, {})

    for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-Auth-Key": service.settings.accepted_keys()[0]}):
        answer = ask(service, route, parameters, task.task_id, headers)

        said = {"stat": "ERR_UNAUTHORIZED"} if route in JOBS else {"code": 40100}
        assert (answer.status_code, answer.get_json() | said) == (401, answer.get_json())


@pytest.mark.parametrize("route", INTERNAL)
def test_internal_routes_refuse_station_callers(service: Service, route: str) -> None:
    answer = ask(service, route, {}, 1, service.program().headers)

    assert answer.status_code == 401


@pytest.mark.parametrize("route", BY_ID)
def test_foreign_task_looks_like_none(service: Service, route: str) -> None:
    theirs = service.add_task("S002", type=1)
    service.end_task(theirs.task_id, result={"file": "export/x.xlsx", "file_name": "x.xlsx"})
    before = service.tasks.get(theirs.task_id)
    headers = service.program("S001").headers

    foreign = ask(service, route, BY_ID[route], theirs.task_id, headers)
    absent = ask(service, route, BY_ID[route], 999_999, headers)

    assert (foreign.status_code, foreign.get_json()) == (404, absent.get_json())
    assert service.tasks.get(theirs.task_id) == before


@pytest.mark.parametrize("route", ["GET /task/get", "GET /async_task/get", "POST /async_task/close"])
def test_foreign_user_task_id_looks_like_none(service: Service, route: str) -> None:
    service.add_task("S002", user_task_id="theirs")

    answer = ask(service, route, {"user_task_id": "theirs"}, 0, service.program("S001").headers)

    assert (answer.status_code, answer.get_json()["code"]) == (404, 40401)


@pytest.mark.parametrize("route", LISTS)
def test_lists_hold_nothing_of_another_station(service: Service, route: str) -> None:
    theirs = service.add_task("S002")
    headers = service.program("S001").headers
    named = {"task_ids": str(theirs.task_id)} if route in {"GET /task/list", "GET /pages/tasks"} else {}

    answer = ask(service, route, named, theirs.task_id, headers)

    data = answer.get_json()["data"]
    assert (data["tasks"] if isinstance(data, dict) else data) == []


def test_foreign_tasks_are_not_hidden_and_look_unknown(service: Service) -> None:
    theirs = service.add_task("S002", user_task_id="theirs")
    service.end_task(theirs.task_id)
    program = service.program("S001")

    by_id = program.post("/task/clear_show", task_ids=[theirs.task_id]).get_json()
    by_user_id = program.post("/task/clear_show", user_task_ids=["theirs"]).get_json()

    assert by_id["data"] == {"unknown": [theirs.task_id], "running": []}
    assert by_user_id["data"] == {"unknown": ["theirs"], "running": []}
    assert service.tasks.get(theirs.task_id).message_show


def test_person_of_one_station_sees_nothing_of_the_other(service: Service) -> None:
    theirs = service.add_task("S002")

    assert service.person("S001").get("/task/get", task_id=theirs.task_id).status_code == 404
    assert service.person("S002").get("/task/get", task_id=theirs.task_id).status_code == 200
