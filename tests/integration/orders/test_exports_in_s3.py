"""The endpoints of exports where finished files are kept in an S3-compatible store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import Engine

from tests.integration.orders.test_export_routes import BY_DATE, EXPORT, World, finished_export, make_world
from tests.support.order_rows import OTHER_STATION, insert, make_order
from tests.support.s3 import S3Server

ASYNC = "/station/download/async/5"
DAY = 86_400


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    running = S3Server(tmp_path_factory.mktemp("s3"))
    yield running
    running.stop()


@pytest.fixture
def world(server: S3Server, orders_engine: Engine, tmp_path: Path) -> World:
    server.empty()
    world = make_world(orders_engine, tmp_path, **server.settings())
    world.platform.tasks[5] = finished_export()
    return world


def test_export_made_at_once_is_downloaded_from_the_store(
    server: S3Server, world: World, orders_engine: Engine
) -> None:
    insert(orders_engine, make_order("A-1"))

    data = world.get(EXPORT, query_string={**BY_DATE, "format": "house_csv"}).json["data"]
    answer = world.get(data["link"])
    file = requests.get(answer.headers["Location"], timeout=5)

    assert (data["async"], answer.status_code, answer.data) == (0, 302, b"")
    assert b"A-1" in file.content
    assert (file.headers["Content-Type"], len(server.files())) == ("text/csv; charset=utf-8", 1)
    assert "filename*=UTF-8''orderdetail_20101201-20101201.csv" in file.headers["Content-Disposition"]
    assert list((world.files_dir / "sync").iterdir()) == []


def test_redirect_is_kept_by_nobody_and_tells_the_store_nothing(server: S3Server, world: World) -> None:
    server.put("export/5.1.xlsx")

    headers = world.get(ASYNC).headers

    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_head_is_answered_as_get_without_the_file(server: S3Server, world: World) -> None:
    server.put("export/5.1.xlsx", b"PK content")

    answer = world.client.head(ASYNC, headers={"X-Station": "S001"})
    told = requests.head(answer.headers["Location"], timeout=5)

    assert (answer.status_code, told.status_code, told.headers["Content-Length"]) == (302, 200, "10")


def test_file_of_another_station_is_not_found(server: S3Server, world: World) -> None:
    server.put("export/5.1.xlsx")

    refused = world.get(ASYNC, OTHER_STATION)

    assert (refused.status_code, "Location" in refused.headers) == (404, False)


def test_file_that_is_not_in_the_store_is_gone(server: S3Server, world: World) -> None:
    refused = world.get(ASYNC)

    assert (refused.status_code, refused.json["code"]) == (404, 40402)


@pytest.mark.parametrize(("language", "said"), [("en", "The file store does not answer"), ("zh", "文件存储暂时不可用")])
def test_store_that_is_away_is_said_to_be(server: S3Server, world: World, language: str, said: str) -> None:
    server.kill()

    download = world.get(ASYNC, headers={"Accept-Language": language})
    export = world.get(EXPORT, query_string=BY_DATE, headers={"Accept-Language": language})

    assert [(each.status_code, each.json["code"]) for each in (download, export)] == [(503, 50301)] * 2
    assert said in download.json["msg"] and "Retry-After" in download.headers
    assert list((world.files_dir / "sync").iterdir()) == []


def test_large_export_is_accepted_while_the_store_is_away(server: S3Server, world: World) -> None:
    server.kill()

    answer = world.get(EXPORT, query_string=BY_DATE, headers={"Prefer": "respond-async"})

    assert answer.json["data"]["async"] == 1


def test_export_whose_time_is_over_leaves_the_store(server: S3Server, world: World, orders_engine: Engine) -> None:
    insert(orders_engine, make_order("A-1"))
    link = world.get(EXPORT, query_string=BY_DATE).json["data"]["link"]

    world.clock.offset_seconds = 8 * DAY
    world.get(EXPORT, query_string=BY_DATE)

    assert world.get(link).json["code"] == 40402
    assert len(server.files()) == 1
