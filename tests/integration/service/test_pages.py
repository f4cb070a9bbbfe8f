"""Pages, health and the API's own description."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis

from gm_service.orders import store
from gm_service.orders.exports.profiles import PROFILES
from gm_service.orders.models import TimeConfig
from gm_service.routes.pages import PAGE_ROWS, own_path
from shared.database import in_write
from tests.support.order_rows import keep_import
from tests.support.service import Service


def test_stranger_is_led_to_sign_in(service: Service) -> None:
    answer = service.app.test_client().get("/")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")


def test_person_sees_the_task_centre_of_the_own_station(service: Service) -> None:
    answer = service.person("S002").get("/")

    assert answer.status_code == 200
    assert "Dublin depot" in answer.text
    assert "Bristol depot" not in answer.text


def test_signed_in_person_is_led_on(service: Service) -> None:
    answer = service.person().get("/sign-in", next="/?task=7")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/?task=7")


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/a\\b",
        "/a\r\nSet-Cookie: x",
        "javascript:alert(1)",
        " /x",
        "/" + "x" * 3000,
    ],
)
def test_sign_in_leads_to_no_other_site(target: str | None) -> None:
    assert own_path(target) == "/"


@pytest.mark.parametrize("target", ["/", "/?task=7", "/a/b?c=//d"])
def test_sign_in_leads_back_within_the_site(target: str) -> None:
    assert own_path(target) == target


@pytest.mark.parametrize(
    ("query", "accept", "language"),
    [
        ({}, "zh-CN,zh;q=0.9,en;q=0.5", "zh"),
        ({}, "en-GB", "en"),
        ({}, "fr", "en"),
        ({"lang": "zh"}, "en", "zh"),
        ({"lang": "en"}, "zh", "en"),
        ({"lang": "xx"}, "zh", "zh"),
    ],
)
def test_page_speaks_the_readers_language(service: Service, query: dict[str, str], accept: str, language: str) -> None:
    answer = service.app.test_client().get("/sign-in", query_string=query, headers={"Accept-Language": accept})

    assert f'<html lang="{language}">' in answer.text
    assert ("登录" in answer.text) == (language == "zh")


def test_chosen_language_is_remembered(service: Service) -> None:
    client = service.app.test_client()
    client.get("/sign-in?lang=zh")

    assert '<html lang="zh">' in client.get("/sign-in", headers={"Accept-Language": "en"}).text


@pytest.mark.parametrize("path", ["/sign-in", "/", "/task/list", "/healthz", "/static/app.css", "/nowhere"])
def test_every_answer_forbids_foreign_and_inline_content(service: Service, path: str) -> None:
    answer = service.person().get(path)

    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_page_escapes_what_people_named(service: Service) -> None:
    service.stations.create_station("S001", "<script>alert(1)</script>")
    service.stations.add_user("S001", "clerk", "x", display_name="<b>me</b>")

    page = service.person().get("/").text

    assert "<script>alert" not in page
    assert "<b>me" not in page


def test_everything_that_pages_load_is_there(service: Service) -> None:
    person = service.person()
    pages = person.get("/").text + service.app.test_client().get("/sign-in").text

    loaded = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', pages))

    assert len(loaded) >= 4
    assert {person.get(path).status_code for path in loaded} == {200}


def test_scripts_import_only_what_is_there() -> None:
    folder = Path("gm_service/static/js")
    for script in folder.glob("*.js"):
        for name in re.findall(r'from "\./([^"]+)"', script.read_text("utf-8")):
            assert (folder / name).exists(), f"{script.name} imports {name}"


def test_centre_list_is_small_whatever_the_result_holds(service: Service) -> None:
    task = service.add_task(type=0, business_name="Order import")
    rows = [{"index": index, "state": "failed", "reason": "x" * 100} for index in range(200)]
    counts = {"total": 200, "created": 0, "failed": 200, "not_attempted": 0}
    service.end_task(task.task_id, status=5, result={"file_name": "a.csv", **counts, "rows": rows}, reason="no")

    answer = service.person().get("/pages/tasks")

    listed: dict[str, Any] = answer.get_json()["data"]["tasks"][0]
    assert (listed["file_name"], listed["counts"], listed["link"]) == ("a.csv", counts, None)
    assert len(answer.data) < 1000


def test_centre_list_links_a_finished_export(service: Service) -> None:
    task = service.add_task(type=1)
    service.end_task(task.task_id, result={"file": "export/a.xlsx", "file_name": "a.xlsx", "rows": 3, "bytes": 9})

    answer = service.person().get("/pages/tasks")

    listed = answer.get_json()["data"]["tasks"][0]
    assert (listed["link"], listed["counts"]) == (f"/station/download/async/{task.task_id}", {"rows": 3, "bytes": 9})
    assert "export/a" not in answer.text


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_running_import_is_listed_with_its_file(service: Service) -> None:
    task, other = service.add_task(type=0), service.add_task(type=0)
    keep_import(service.engine, {"order_no": "A"}, task_id=task.task_id)

    listed = service.person().get("/pages/tasks").get_json()["data"]["tasks"]

    assert {item["task_id"]: item["file_name"] for item in listed} == {
        task.task_id: "orders.xlsx",
        other.task_id: None,
    }


def test_import_that_its_worker_lost_is_shown_with_what_was_done(service: Service) -> None:
    task = service.add_task(type=0)
    keep_import(service.engine, {"order_no": "A"}, 5, task_id=task.task_id)
    service.end_task(task.task_id, status=5, reason="lost", reason_code="worker_lost")

    (listed,) = service.person().get("/pages/tasks").get_json()["data"]["tasks"]

    assert listed["counts"] == {"total": 2, "created": 0, "failed": 0, "not_attempted": 2}


def test_centre_list_tells_what_a_person_stopped(service: Service) -> None:
    task = service.add_task(type=1, business_id=1, business_name="订单明细导出")
    person = service.person()
    person.post("/async_task/close", task_id=task.task_id)

    (listed,) = person.get("/pages/tasks").get_json()["data"]["tasks"]
    person.headers["Accept-Language"] = "zh"
    (chinese,) = person.get("/pages/tasks").get_json()["data"]["tasks"]

    assert (listed["reason_code"], listed["business_id"]) == ("closed", 1)
    assert (listed["reason"], chinese["reason"]) == ("Stopped on request.", "已按请求停止。")


def test_forms_offer_the_stations_own_cycles(service: Service) -> None:
    other = TimeConfig("night", "Night", "22:00", "06:00")
    in_write(service.engine, lambda c: store.insert_time_configs(c, "S002", [other]))
    mine = TimeConfig("day", "Whole <day>", "06:00", "06:00")
    in_write(service.engine, lambda c: store.insert_time_configs(c, "S001", [mine]))

    page = service.person().get("/").text

    assert page.count('<option value="day">Whole &lt;day&gt; 06:00–06:00</option>') == 2
    assert "night" not in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_export_form_offers_every_format_by_name(service: Service, language: str) -> None:
    person = service.person()
    person.headers["Accept-Language"] = language

    page = person.get("/").text

    [choice] = re.findall(r'<select name="format">(.*?)</select>', page, re.DOTALL)
    offered = dict(re.findall(r'<option value="(\w+)">([^<]+)</option>', choice))
    assert list(offered) == list(PROFILES)
    assert len(set(offered.values())) == len(PROFILES)
    assert all(name.isascii() == (language == "en") for name in offered.values())


def test_stranger_with_a_download_link_is_led_to_sign_in_and_back(service: Service) -> None:
    answer = service.app.test_client().get("/station/download/async/7", headers=BROWSER)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?next=/station/download/async/7")


def test_stranger_with_a_link_to_open_rows_comes_back_to_the_same_import(service: Service) -> None:
    answer = service.app.test_client().get("/station/order/batch/open_rows?task_id=7", headers=BROWSER)

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in?next=/station/order/batch/open_rows%3Ftask_id%3D7"


def test_dead_link_to_open_rows_is_a_page_for_people_and_an_envelope_for_programs(service: Service) -> None:
    person = service.person()

    page = person.client.get("/station/order/batch/open_rows?task_id=7", headers=BROWSER)
    envelope = person.client.get("/station/order/batch/open_rows?task_id=7")

    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert envelope.get_json()["code"] == 40401


@pytest.mark.parametrize(("language", "name"), [("zh", "订单导入模板.xlsx"), ("en", "order import template.xlsx")])
def test_template_is_in_the_language_of_the_page(service: Service, language: str, name: str) -> None:
    person = service.person()
    person.client.set_cookie("gm_lang", language)

    answer = person.client.get("/station/order/batch/template", headers=BROWSER)

    assert quote(name, safe="") in answer.headers["Content-Disposition"]


def test_task_centre_knows_how_much_one_upload_may_carry(service: Service) -> None:
    limit = service.app.config["MAX_CONTENT_LENGTH"]

    assert f'<meta name="max-upload-bytes" content="{limit}">' in service.person().get("/").text


def test_dead_download_link_is_a_page_for_people_and_an_envelope_for_programs(service: Service) -> None:
    person = service.person()
    person.client.set_cookie("gm_lang", "zh")

    page = person.client.get("/station/download/async/7", headers=BROWSER)
    envelope = person.client.get("/station/download/async/7")

    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "没有这个任务" in page.text
    assert envelope.get_json()["code"] == 40401


def test_centre_list_comes_in_pages(service: Service) -> None:
    for _ in range(PAGE_ROWS + 1):
        service.add_task()
    person = service.person()

    first, second = (person.get("/pages/tasks", offset=page).get_json()["data"] for page in (0, 1))

    assert (len(first["tasks"]), first["more"]) == (PAGE_ROWS, True)
    assert (len(second["tasks"]), second["more"]) == (1, False)


def test_health_tells_of_the_process_and_readiness_of_what_it_needs(service: Service) -> None:
    client = service.app.test_client()
    ready = client.get("/readyz").status_code
    service.task_api.go_away()

    assert (ready, client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 200, 503)


def test_api_description_is_valid_and_names_every_answer(service: Service) -> None:
    description = service.app.test_client().get("/openapi.json").get_json()

    schemathesis.openapi.from_dict(description).validate()
    listed = description["paths"]["/task/list"]["get"]
    assert {parameter["name"] for parameter in listed["parameters"]} >= {"status", "limit", "offset", "task_ids"}
    answer = listed["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/TaskListAnswer"}
    assert "/" not in description["paths"]
