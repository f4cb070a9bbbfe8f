"""Pages, health and the API's own description."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis

from gm_service.orders.exports.profiles import PROFILES
from gm_service.routes.pages import PAGES, own_path
from gm_service.routes.rendering import load_texts
from gm_service.task_view import poll_seconds
from shared.errors import Language
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


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_export_format_has_a_name_of_its_own(service: Service, language: Language) -> None:
    page = service.person().get("/export").text

    [offered] = re.findall(r'<meta name="export-formats" content="([^"]+)">', page)
    names = [load_texts(language)[f"format_{name}"] for name in offered.split(",")]
    assert offered.split(",") == list(PROFILES)
    assert len(set(names)) == len(PROFILES)
    assert all(name.isascii() == (language == "en") for name in names)


@pytest.mark.parametrize("path", [re.sub("<.*>", "7", path) for path in PAGES])
def test_every_page_is_there_for_people_and_leads_strangers_to_sign_in_and_back(service: Service, path: str) -> None:
    stranger = service.app.test_client().get(f"{path}?text=a")

    assert service.person().get(path).status_code == 200
    assert stranger.headers["Location"] == f"/sign-in?next={path}%3Ftext%3Da"


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
    ids = [service.add_task().task_id for _ in range(3)]
    person = service.person()

    first = person.get("/pages/tasks", limit=2).get_json()["data"]
    second = person.get("/pages/tasks", limit=2, before_id=first["tasks"][-1]["task_id"]).get_json()["data"]

    assert ([task["task_id"] for task in first["tasks"]], first["more"]) == ([ids[2], ids[1]], True)
    assert ([task["task_id"] for task in second["tasks"]], second["more"]) == ([ids[0]], False)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"state": "active"}, ["waiting"]),
        ({"state": "ended"}, ["failed", "done"]),
        ({"state": "finished"}, ["done"]),
        ({"state": "failed", "text": ""}, ["failed"]),
        ({"state": "partly"}, []),
        ({"type": 1}, ["done"]),
        ({"text": "DON"}, ["done"]),
        ({"since": "2026-01-01", "until": "2026-01-01"}, ["waiting", "failed", "done"]),
        ({"since": "2026-01-02"}, []),
        ({"until": "2025-12-31"}, []),
    ],
)
def test_centre_list_is_filtered(service: Service, filters: dict[str, Any], found: list[str]) -> None:
    done = service.add_task(type=1, file_name="done")
    failed = service.add_task(type=0, file_name="failed")
    service.add_task(type=0, file_name="waiting")
    service.end_task(done.task_id)
    service.end_task(failed.task_id, status=5, reason="no")

    listed = service.person().get("/pages/tasks", **filters).get_json()["data"]["tasks"]

    assert [task["file_name"] for task in listed] == found


def test_poll_that_brings_nothing_new_is_answered_without_a_body(service: Service) -> None:
    task = service.add_task(type=1, queue="q")
    person = service.person()
    first = person.get("/pages/tasks")
    known = {"headers": {"If-None-Match": first.headers["ETag"]}}

    same = person.client.get("/pages/tasks", **known)
    service.tasks.start(task.task_id)
    other = person.client.get("/pages/tasks", **known)

    assert (same.status_code, same.data, other.status_code) == (304, b"", 200)


def test_pages_of_many_tasks_are_asked_for_less_often() -> None:
    assert [poll_seconds(active) for active in (0, 20, 21, 200, 201, 5000)] == [1, 1, 2, 2, 5, 5]


def test_waiting_task_tells_its_place_and_who_submitted_it(service: Service) -> None:
    service.add_task(queue="q")
    service.add_task(queue="q", submitted_by="wang")

    first, _ = service.person().get("/pages/tasks").get_json()["data"]["tasks"]

    assert (first["ahead"], first["submitted_by"]) == (1, "wang")


def test_page_of_a_task_has_its_input_and_its_result_without_rows(service: Service) -> None:
    task = service.add_task(input={"file_name": "a.csv", "total": 1})
    result = {"total": 1, "created": 1, "rows": [{"index": 0}]}
    service.end_task(task.task_id, result=result)

    page = service.person().get("/pages/task", task_id=task.task_id).get_json()["data"]

    assert page["input"] == {"file_name": "a.csv", "total": 1}
    assert page["result"] == {"total": 1, "created": 1}
    assert page["task"]["run_count"] == 1


def test_page_of_another_stations_task_is_not_there(service: Service) -> None:
    task = service.add_task()

    assert service.person("S002").get("/pages/task", task_id=task.task_id).status_code == 404


@pytest.mark.parametrize(("input", "shown"), [("no json", "no json"), ('{"a": "' + "x" * 30_000 + '"}', None)])
def test_page_shows_inputs_that_people_can_read(service: Service, input: str, shown: str | None) -> None:
    task = service.add_task(input=input)

    assert service.person().get("/pages/task", task_id=task.task_id).get_json()["data"]["input"] == shown


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
