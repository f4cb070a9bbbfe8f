"""The endpoints of exports over HTTP, with the platform's dispatcher and task client as fakes."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import openpyxl
import pytest
from flask import request
from flask.testing import FlaskClient
from sqlalchemy import Engine

from gm_service.config import ServiceSettings
from gm_service.orders.exports.service import ExportService
from gm_service.routes.downloads import content_disposition, downloads_routes
from gm_service.routes.exports import exports_routes
from shared.database import DatabaseClock
from shared.errors import TaskNotFound, Unauthorized, Unavailable
from shared.files.store import open_file_store
from shared.task_api.client import TaskClient
from shared.task_api.models import AddedTask, Task
from shared.web.app import make_app
from tests.support.order_rows import OTHER_STATION, STATION, insert, make_order

KEY = "k" * 32
EXPORT = "/station/sales_analysis/orderdetail"
BY_DATE = {"query_type": 1, "start_date": "2010-12-01", "end_date": "2010-12-01"}


@dataclass(frozen=True)
class FakeStation:
    id: str
    export_threshold: int | None = None


@dataclass
class FakePlatform:
    """Takes tasks and answers them back to their own station."""

    submitted: list[dict[str, Any]] = field(default_factory=list)
    tasks: dict[int, Task] = field(default_factory=dict)
    away: bool = False

    def submit(self, **task: Any) -> AddedTask:
        if self.away:
            raise Unavailable(what="task service")
        self.submitted.append(task)
        return AddedTask(task_id=len(self.submitted), user_task_id=task.get("user_task_id") or "made")

    def get(self, task_id: int = 0, *, station_id: str, user_task_id: str | None = None, brief: bool = False) -> Task:
        named = [task for task in self.tasks.values() if task.user_task_id == user_task_id]
        task = named[0] if named else self.tasks.get(task_id)
        if task is None or task.station_id != station_id:
            raise TaskNotFound()
        return task


@dataclass
class World:
    client: FlaskClient
    platform: FakePlatform
    clock: DatabaseClock
    files_dir: Path

    def get(self, path: str, station: str = STATION, **options: Any) -> Any:
        headers = {"X-Station": station, **options.pop("headers", {})}
        return self.client.get(path, headers=headers, **options)


@pytest.fixture
def world(orders_engine: Engine, tmp_path: Path) -> World:
    return make_world(orders_engine, tmp_path)


def make_world(engine: Engine, tmp_path: Path, **changes: Any) -> World:
    settings = ServiceSettings(
        _env_file=None,
        auth_key=KEY,
        broker_url="doorbell:///x",
        files_dir=tmp_path / "files",
        service_database_url=str(engine.url),
        async_task_url="http://127.0.0.1:1",
        service_secret_key=KEY,
        export_threshold=2,
        **changes,
    )
    platform, clock = FakePlatform(), DatabaseClock()
    exports = ExportService(engine, settings, platform, cast(TaskClient, platform), clock, open_file_store(settings))
    stations = {STATION: FakeStation(STATION), OTHER_STATION: FakeStation(OTHER_STATION, export_threshold=0)}

    def require_station() -> FakeStation:
        found = stations.get(request.headers.get("X-Station", ""))
        if found is None:
            raise Unauthorized()
        return found

    app = make_app("test_orders", "orders", settings)
    app.register_blueprint(exports_routes(exports, require_station))
    app.register_blueprint(downloads_routes(exports, settings, require_station))
    return World(app.test_client(), platform, clock, settings.files_dir)


def finished_export(task_id: int = 5, **changes: Any) -> Task:
    now = datetime.now(UTC)
    task = {
        "task_id": task_id,
        "user_task_id": "u",
        "task_name": "gm_task.functions.orders.export_orders",
        "station_id": STATION,
        "status": 3,
        "reason": None,
        "progress": 100,
        "type": 1,
        "business_id": 1,
        "business_name": "",
        "run_count": 1,
        "create_time": now,
        "modify_time": now,
        "start_time": now,
        "end_time": now,
        "input": None,
        "result": {"file": f"export/{task_id}.1.xlsx", "file_name": "订单.xlsx"},
    }
    return Task.model_validate({**task, **changes})


def put_file(world: World, name: str, content: bytes = b"PK") -> None:
    path = world.files_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def put_old_file(world: World, name: str, days: int) -> None:
    put_file(world, name)
    then = time.time() - days * 86_400
    path = world.files_dir / name
    for old in (path, path.parent):
        os.utime(old, (then, then))


def test_few_orders_are_exported_at_once(world: World, orders_engine: Engine, tmp_path: Path) -> None:
    insert(orders_engine, make_order("A-1"), make_order("A-2"))

    data = world.get(EXPORT, query_string=BY_DATE).json["data"]
    answer = world.get(data["link"])

    assert data["async"] == 0 and "task_url" not in data
    assert answer.status_code == 200
    assert "filename*=UTF-8''orderdetail_20101201-20101201.xlsx" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    (tmp_path / "got.xlsx").write_bytes(answer.data)
    assert openpyxl.load_workbook(tmp_path / "got.xlsx")["Orders"].max_row == 1 + 2 + 1  # titles, orders, total


def test_orders_are_counted_before_anything_is_made(world: World, orders_engine: Engine) -> None:
    insert(orders_engine, make_order("A-1"), make_order("A-2"))

    few = world.get(f"{EXPORT}/count", query_string=BY_DATE).json["data"]
    none = world.get(f"{EXPORT}/count", station=OTHER_STATION, query_string=BY_DATE).json["data"]
    insert(orders_engine, make_order("A-3"))
    many = world.get(f"{EXPORT}/count", query_string=BY_DATE).json["data"]

    assert few == {"orders": 2, "more": False, "async": 0}
    assert none == {"orders": 0, "more": False, "async": 0}
    assert many == {"orders": 3, "more": False, "async": 1}
    assert not world.files_dir.exists() or not list(world.files_dir.rglob("*.xlsx"))


@pytest.mark.parametrize(
    ("format_name", "content_type", "file_name"),
    [
        ("house_csv", "text/csv; charset=utf-8", "orderdetail_20101201-20101201.csv"),
        (
            "yongyou",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "yongyou_20101201-20101201.xlsx",
        ),
        ("yongyou_xml", "application/xml; charset=utf-8", "yongyou_xml_20101201-20101201.xml"),
        ("yongyou_voucher", "text/plain; charset=gbk", "yongyou_voucher_20101201-20101201.txt"),
    ],
)
def test_file_is_handed_out_as_what_it_is(
    world: World, orders_engine: Engine, format_name: str, content_type: str, file_name: str
) -> None:
    insert(orders_engine, make_order("A-1"))

    data = world.get(EXPORT, query_string={**BY_DATE, "format": format_name}).json["data"]
    answer = world.get(data["link"])

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
    assert f'filename="{file_name}"' in answer.headers["Content-Disposition"]


def test_export_is_filled_with_what_is_configured(orders_engine: Engine, tmp_path: Path) -> None:
    world = make_world(orders_engine, tmp_path, yongyou={"tax_rate": "9", "accounts": {"revenue": "600101"}})
    insert(orders_engine, make_order("A-1"))

    data = world.get(EXPORT, query_string={**BY_DATE, "format": "yongyou_voucher"}).json["data"]

    entries = world.get(data["link"]).data.decode("gbk").splitlines()[1:]
    assert [entry.split(",")[5:8] for entry in entries] == [
        ["1122", "15.30", "0.00"],
        ["600101", "0.00", "14.04"],
        ["22210101", "0.00", "1.26"],
    ]


@pytest.mark.parametrize(("format_name", "carried"), [("house", None), ("yongyou", "9")])
def test_task_carries_what_is_configured_where_its_format_needs_it(
    orders_engine: Engine, tmp_path: Path, format_name: str, carried: str | None
) -> None:
    world = make_world(orders_engine, tmp_path, yongyou={"tax_rate": "9"})

    world.get(EXPORT, query_string={**BY_DATE, "format": format_name}, headers={"Prefer": "respond-async"})

    (task,) = world.platform.submitted
    assert task["input"].get("yongyou", {}).get("tax_rate") == carried


@pytest.mark.parametrize("language", ["en", "zh"])
def test_unknown_format_is_answered_with_those_there_are(world: World, language: str) -> None:
    answer = world.get(EXPORT, query_string={**BY_DATE, "format": "pdf"}, headers={"Accept-Language": language})

    assert "house, house_csv, yongyou, yongyou_xml, yongyou_voucher" in answer.json["msg"]


def test_many_orders_become_a_task(world: World, orders_engine: Engine) -> None:
    insert(orders_engine, *(make_order(f"A-{number}") for number in range(3)))

    answer = world.get(EXPORT, query_string={**BY_DATE, "search_text": "", "status": 2})

    assert answer.json["data"]["async"] == 1
    assert answer.json["data"]["task_url"] == "/async_task/get?task_id=1"
    (task,) = world.platform.submitted
    assert (task["station_id"], task["type"], task["repeat"]) == (STATION, 1, True)
    assert task["input"]["export"] == "orderdetail" and task["input"]["query"]["status"] == 2


def test_threshold_is_the_stations_own(world: World, orders_engine: Engine) -> None:
    insert(orders_engine, make_order("A-1"), station_id=OTHER_STATION)

    assert world.get(EXPORT, OTHER_STATION, query_string=BY_DATE).json["data"]["async"] == 1


def test_caller_may_prefer_async(world: World) -> None:
    answer = world.get(EXPORT, query_string=BY_DATE, headers={"Prefer": "wait=5, Respond-Async"})

    assert answer.json["data"]["async"] == 1
    assert answer.headers["Preference-Applied"] == "respond-async"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"format": "pdf"}, 400, 40004),
        ({"start_date": ""}, 400, 40001),
        ({"colour": "red"}, 400, 40001),
        (
            {
                "query_type": 2,
                "time_config_id": "night",
                "cycle_start_time": "2010-12-01 06:00",
                "cycle_end_time": "2010-12-02 06:00",
            },
            422,
            42200,
        ),
    ],
)
def test_wrong_export_is_refused(world: World, changes: dict[str, Any], status: int, code: int) -> None:
    answer = world.get(EXPORT, query_string={**BY_DATE, **changes})

    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_link_of_another_station_is_gone(world: World) -> None:
    link = world.get(EXPORT, query_string=BY_DATE).json["data"]["link"]

    assert world.get(link, OTHER_STATION).status_code == 404
    assert world.get(link, "").status_code == 401


@pytest.mark.parametrize("key", ["x", "0" * 32, "..%2f..%2fetc%2fpasswd", "%00" * 32, "0" * 31 + "%27"])
def test_link_never_made_is_gone(world: World, key: str) -> None:
    assert world.get(f"/station/download/sync/{key}").status_code == 404


def test_expired_link_is_gone_and_its_file_is_removed(world: World) -> None:
    link = world.get(EXPORT, query_string=BY_DATE).json["data"]["link"]

    world.clock.offset_seconds = 8 * 86_400

    assert world.get(link).json["code"] == 40402
    world.get(EXPORT, query_string=BY_DATE)
    assert len(list((world.files_dir / "sync").iterdir())) == 1


@pytest.mark.parametrize("headers", [{}, {"Prefer": "respond-async"}])
def test_new_export_clears_away_what_is_too_old(world: World, headers: dict[str, str]) -> None:
    left = {"export/1.1.xlsx": 8, "export/2.1.xlsx": 6, "sync/a.xlsx": 8}
    left |= {"export/.3.1.x.tmp/3.1.xlsx": 2, "export/.4.1.x.tmp/4.1.xlsx": 0, "sync/.b.x.tmp/b.xlsx": 2}
    for name, days in left.items():
        put_old_file(world, name, days)

    world.get(EXPORT, query_string=BY_DATE, headers=headers)

    names = sorted(path.name for folder in ("export", "sync") for path in (world.files_dir / folder).iterdir())
    assert [name for name in names if len(name) < 32] == [".4.1.x.tmp", "2.1.xlsx"]


def test_folder_that_is_still_written_to_is_kept(world: World) -> None:
    put_old_file(world, "export/.3.1.x.tmp/3.1.xlsx", 2)
    os.utime(world.files_dir / "export/.3.1.x.tmp/3.1.xlsx")

    world.get(EXPORT, query_string=BY_DATE)

    assert (world.files_dir / "export/.3.1.x.tmp/3.1.xlsx").exists()


def test_old_files_are_cleared_some_at_a_time_and_links_are_not_followed(world: World) -> None:
    for number in range(50):
        put_old_file(world, f"export/{number}.1.xlsx", 8)
    put_old_file(world, "elsewhere/.x.tmp/kept", 8)
    (world.files_dir / "export/.x.tmp").symlink_to(world.files_dir / "elsewhere/.x.tmp")

    world.get(EXPORT, query_string=BY_DATE)

    assert 0 < len(list((world.files_dir / "export").glob("*.xlsx"))) < 50
    assert (world.files_dir / "elsewhere/.x.tmp/kept").exists()


def test_async_file_is_handed_to_its_station(world: World) -> None:
    world.platform.tasks[5] = finished_export()
    put_file(world, "export/5.1.xlsx", b"PK content")

    answer = world.get("/station/download/async/5")

    assert (answer.status_code, answer.data) == (200, b"PK content")
    assert "filename*=UTF-8''%E8%AE%A2%E5%8D%95.xlsx" in answer.headers["Content-Disposition"]
    assert world.get("/station/download/async/5", OTHER_STATION).json["code"] == 40401


@pytest.mark.parametrize(
    ("asked", "status", "content", "given"),
    [
        ("bytes=3-6", 206, b"cont", "bytes 3-6/10"),
        ("bytes=-3", 206, b"ent", "bytes 7-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
    ],
)
def test_interrupted_download_goes_on_where_it_stopped(
    world: World, asked: str, status: int, content: bytes | None, given: str | None
) -> None:
    world.platform.tasks[5] = finished_export()
    put_file(world, "export/5.1.xlsx", b"PK content")

    answer = world.get("/station/download/async/5", headers={"Range": asked})

    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, given)
    assert answer.data == content if content is not None else answer.json["data"] == {"bytes": 10}


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 2, "end_time": None},
        {"status": 5, "result": None},
        {"result": {"file": "export/6.1.xlsx", "file_name": "x"}},
        {"result": {"file": "../secret", "file_name": "x"}},
        {"result": {"file": "/etc/passwd", "file_name": "x"}},
        {"result": {"file": "export/../secret", "file_name": "x"}},
        {"result": {"file": "export/link", "file_name": "x"}},
        {"result": {"file": "export", "file_name": "x"}},
        {"result": {"file": 5}},
        {"end_time": datetime.now(UTC) - timedelta(days=8)},
    ],
)
def test_file_that_is_not_there_is_gone(world: World, changes: dict[str, Any]) -> None:
    world.platform.tasks[5] = finished_export(**changes)
    for name in ("export/5.1.xlsx", "secret", "../secret"):
        put_file(world, name)
    (world.files_dir / "export/link").symlink_to(world.files_dir / "secret")

    assert world.get("/station/download/async/5").json["code"] == 40402


@pytest.mark.parametrize("task_id", ["99999999999999999999", "0", "1abc", "-1", "05", "５", "5%0a", "+5"])
def test_odd_task_id_is_not_found(world: World, task_id: str) -> None:
    world.platform.tasks[5] = finished_export()
    put_file(world, "export/5.1.xlsx")

    assert world.get(f"/station/download/async/{task_id}").status_code == 404


def test_nginx_sends_the_file_where_it_stands_in_front(orders_engine: Engine, tmp_path: Path) -> None:
    world = make_world(orders_engine, tmp_path, accel_location="/files/")
    world.platform.tasks[5] = finished_export()
    put_file(world, "export/5.1.xlsx")

    answer = world.get("/station/download/async/5")

    assert answer.headers["X-Accel-Redirect"] == "/files/export/5.1.xlsx"
    assert answer.data == b""
    assert "filename*=UTF-8''%E8%AE%A2%E5%8D%95.xlsx" in answer.headers["X-File-Disposition"]
    assert "Content-Disposition" not in answer.headers, "nginx would put it on a refusal too"


def test_file_name_can_not_break_out_of_its_header() -> None:
    value = content_disposition('a"\r\nX-Evil: 1;\\订单.xlsx')

    assert "\r" not in value and "\n" not in value
    assert value.startswith('attachment; filename="a___X-Evil: 1____.xlsx"; ')


def test_strangers_are_turned_away_before_anything_else(world: World) -> None:
    assert world.get(EXPORT, "", query_string={"query_type": "x"}).status_code == 401


def test_openapi_document_describes_the_endpoint(world: World) -> None:
    assert EXPORT in world.client.get("/openapi.json").json["paths"]
