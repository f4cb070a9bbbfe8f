"""The pages in a real browser against real processes: each page's main path, and what must never happen."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from tests.support.browser import Desk, serious_findings
from tests.support.cluster import Cluster
from tests.support.import_jobs import add_ended_tasks, ended_import, order_rows, slow_rows, submit_import
from tests.support.order_files import save_orders
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(240)
_FAULTY = """from gm_async_task.workflow.runner import WorkflowRunner
class Faulty(WorkflowRunner):
    def workflow(self):
        self.add_task("task1", "/demo_api/unheard_of")
def setup(app):
    app.register_formatter("faulty", Faulty)
"""
BEGUN = ["Submitted", "Sent to the workers", "Run 1 began"]
PAGES = ["/", "/export", "/import", "/jobs", "/statistics"]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One platform with the demo orders."""
    folder = tmp_path_factory.mktemp("platform")
    (folder / "plugins").mkdir()
    with Cluster(folder, demo_orders=True, GM_PLUGIN_DIRS=f'["{folder}/plugins"]') as cluster:
        yield cluster


@pytest.fixture
def plugin_folder(platform: Cluster) -> Path:
    """Where the platform looks for more plugins."""
    return platform.folder / "plugins"


def _row(page: Page, name: str) -> Any:
    return page.locator(".task", has_text=name)


def test_sign_in_shows_the_station_and_sign_out_ends_it(desk: Desk) -> None:
    page = desk.open("/tasks/1?rows=open")
    page.fill("[name=station_id]", "S001")
    page.fill("[name=username]", "clerk")
    page.fill("[name=password]", "wrong")
    page.click("button[type=submit]")
    expect(page.get_by_role("alert")).not_to_be_empty()
    desk.expect_problem("401")

    page.fill("[name=password]", desk.platform.secrets["GM_DEMO_PASSWORD"])
    page.click("button[type=submit]")
    page.wait_for_url(f"{desk.url}/tasks/1?rows=open")
    expect(page.locator(".station")).to_contain_text("Bristol depot")
    desk.expect_problem("404")

    page.click("#sign-out")
    page.wait_for_url(f"{desk.url}/sign-in")
    page.goto(desk.url + "/")
    expect(page).to_have_url(f"{desk.url}/sign-in")


def test_xlsx_is_checked_imported_and_its_failed_row_corrected_in_place(desk: Desk, tmp_path: Path) -> None:
    file = save_orders(tmp_path / "orders of may.xlsx", order_rows(10, "page-"))
    page = desk.sit("/import")
    page.select_option("[name=time_config_id]", "whole-day")
    page.set_input_files("[name=file]", file)

    page.reload()
    expect(page.locator("[name=time_config_id]")).to_have_value("whole-day")
    page.set_input_files("[name=file]", file)
    page.click("[value=check]")
    expect(page.locator(".verdict")).to_contain_text("1 of 10 rows would fail; 9 would be created")
    expect(page.locator(".failing tbody tr")).to_have_count(1)
    page.dblclick("[value=import]")

    expect(page.locator(".summary .state")).to_contain_text("Partly succeeded")
    page.locator(".row-space input").fill("85123A")
    page.click("#run-these")
    expect(page.locator(".summary .state")).to_contain_text("Finished")
    page.goto(desk.url + "/?text=orders+of+may")
    expect(page.locator(".task")).to_have_count(1)
    expect(page.locator(".task")).to_contain_text("10 of 10 rows")
    expect(page.locator(".task")).to_contain_text("clerk")


def test_rows_that_would_fail_are_corrected_before_the_import(desk: Desk, tmp_path: Path) -> None:
    file = save_orders(tmp_path / "corrected.xlsx", order_rows(10, "corrected-"))
    page = desk.sit("/import")
    page.select_option("[name=time_config_id]", "whole-day")
    page.set_input_files("[name=file]", file)
    page.click("[value=check]")

    page.locator(".failing input").fill("85123A")
    page.click("[value=check]")
    expect(page.locator(".verdict")).to_contain_text("Every row can be imported (10 of 10)")
    page.click("[value=import]")

    expect(page.locator(".summary .state")).to_contain_text("Finished")


def test_small_export_is_at_once_and_its_file_opens(desk: Desk) -> None:
    page = desk.sit("/export")
    page.fill("[name=start_date]", "2010-12-01")
    page.fill("[name=end_date]", "2010-12-01")
    page.fill("[name=search_text]", "17850")
    expect(page.locator("#forecast")).to_contain_text("at once")

    page.click("#export-form [type=submit]")
    with page.expect_download() as started:
        page.click("#export-link")

    book = CalamineWorkbook.from_filelike(io.BytesIO(Path(started.value.path()).read_bytes()))
    assert any("17850" in str(cell) for row in book.get_sheet_by_index(0).to_python() for cell in row)


def test_large_export_is_followed_in_place_and_asked_for_again(desk: Desk) -> None:
    page = desk.sit("/export")
    page.fill("[name=start_date]", "2010-12-01")
    page.fill("[name=end_date]", "2010-12-05")
    expect(page.locator("#forecast")).to_contain_text("in the background")

    page.click("#export-form [type=submit]")
    expect(page.locator(".summary .state")).to_contain_text("Finished")
    expect(page.locator(".toast")).to_contain_text("Finished")
    with page.expect_download() as started:
        page.click(".summary a.primary")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(Path(started.value.path()).read_bytes())).get_sheet_by_index(0)
    assert len(rows.to_python()) > 1000

    page.reload()
    expect(page.locator(".summary a.primary")).to_be_visible()

    page.evaluate("sessionStorage.clear()")
    page.get_by_role("link", name="Run again").click()
    expect(page.locator("[name=end_date]")).to_have_value("2010-12-05")
    expect(page).to_have_url(f"{desk.url}/export")
    expect(page.locator(".summary")).to_have_count(0)


def test_import_is_stopped_in_the_middle(desk: Desk) -> None:
    # Signed in before, as the import goes on while a browser starts.
    page = desk.sit()
    submit_import(desk.platform.first, "stopped", slow_rows(3000, "stopped-"))
    page.get_by_role("button", name="Refresh").click()
    row = _row(page, "stopped.xlsx")
    expect(row.locator(".state")).to_contain_text("Running")

    row.get_by_role("button", name=re.compile("^Stop")).click()

    expect(row.locator(".state")).to_contain_text("Stopped")
    expect(row.get_by_role("link", name=re.compile("^Fix rows"))).to_be_visible()


def test_two_stations_never_see_each_other(desk: Desk) -> None:
    task_id = submit_import(desk.platform.first, "secret", order_rows(2, "secret-"))
    ended_import(desk.platform.first, task_id)

    other = desk.sit(station_id="S002")
    expect(other.locator(".station")).to_contain_text("Dublin depot")
    expect(other.get_by_text("There are no tasks yet")).to_be_visible()
    other.goto(f"{desk.url}/tasks/{task_id}")
    expect(other.get_by_role("alert")).to_contain_text("no such task")
    desk.expect_problem("404")


def test_rows_stay_while_offline_and_go_on_when_back(desk: Desk) -> None:
    ended_import(desk.platform.first, submit_import(desk.platform.first, "offline", order_rows(2, "offline-")))
    page = desk.sit("/?text=offline")
    expect(page.locator(".task")).to_have_count(1)

    page.context.set_offline(True)
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#connection")).to_be_visible()
    expect(page.locator(".task")).to_have_count(1)
    page.context.set_offline(False)

    expect(page.locator("#connection")).to_have_count(0)
    desk.expect_problem("ERR_INTERNET_DISCONNECTED")


def test_filters_and_keys_lead_through_the_list(desk: Desk) -> None:
    for name in ("keys-a", "keys-b"):
        ended_import(desk.platform.first, submit_import(desk.platform.first, name, order_rows(2, name)))
    page = desk.sit("/import")
    expect(page.locator("#import-form")).to_be_visible()

    page.keyboard.press("g")
    page.keyboard.press("/")
    page.keyboard.type("keys-")
    expect(page).to_have_url(re.compile("text=keys-"))
    expect(page.locator(".task")).to_have_count(2)
    page.reload()
    expect(page.locator(".task")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(_row(page, "keys-a").locator("a[data-row-link]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("keys-a")
    expect(page.locator("h1")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("h1")).to_contain_text("Task centre")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_selected_tasks_are_hidden(desk: Desk) -> None:
    for name in ("hide-a", "hide-b"):
        ended_import(desk.platform.first, submit_import(desk.platform.first, name, order_rows(2, name)))
    page = desk.sit("/?text=hide-")
    _row(page, "hide-a").get_by_role("checkbox").check()

    page.click("#hide-selected")

    expect(page.locator(".task")).to_have_count(1)
    expect(_row(page, "hide-b")).to_be_visible()


def test_timeline_tells_of_the_run_that_a_stopping_worker_handed_back(desk: Desk) -> None:
    platform = desk.platform
    page = desk.sit()
    task_id = submit_import(platform.first, "deploy", slow_rows(3000, "deploy-"))
    page.goto(f"{desk.url}/tasks/{task_id}")
    steps = page.locator(".timeline li strong")
    expect(steps).to_have_text(["Submitted", "Sent to the workers", "Started"])

    platform.processes["gm_task"].stop(30)
    expect(steps).to_have_text([*BEGUN, "Run 1 was over"])
    platform.start("gm_task")

    expect(steps).to_have_text(
        [*BEGUN, "Run 1 was over", "Sent to the workers", "Run 2 began", "Ended"], timeout=40_000
    )
    expect(page.locator(".timeline li", has_text="Run 1 was over")).to_contain_text("handed back")
    expect(page.locator(".timeline li", has_text="Ended")).to_contain_text("Partly succeeded")


def test_job_is_created_by_its_form_followed_in_its_graph_and_deleted(desk: Desk) -> None:
    page = desk.sit("/jobs")
    page.click("#new-job summary")
    page.select_option("#job-form [name=job_type]", "hello")
    page.fill("[name=job_name]", "greeting")
    page.fill("[name='extra.str_info']", "good morning")
    page.get_by_role("button", name="Create the job").click()

    expect(page.locator("h1")).to_contain_text("greeting")
    expect(page.locator(".summary .state")).to_contain_text("Finished")
    expect(page.locator(".node.finished")).to_have_count(3)
    expect(page.locator(".edge")).to_have_count(3)
    page.locator(".node", has_text="task1").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#task-detail")).to_contain_text("good morning")
    expect(page.locator("#task-detail .run")).to_have_count(1)
    expect(page.locator("#task-detail .log li")).to_contain_text(["run_started"])
    expect(page.locator(".gantt .span.finished")).to_have_count(3)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(f"{desk.url}/jobs")
    expect(page.get_by_role("link", name="greeting")).to_have_count(0)


def test_failed_job_is_retried(desk: Desk, plugin_folder: Path) -> None:
    (plugin_folder / "faulty.py").write_text(_FAULTY)
    page = desk.sit("/jobs")
    page.click("#new-job summary")
    page.select_option("#job-form [name=job_type]", "faulty")
    page.get_by_role("button", name="Create the job").click()
    expect(page.locator(".summary .state")).to_contain_text("ERR_HANDLER_NOT_EXISTS")

    with page.expect_request("**/xingqiao/retry_job"):
        page.get_by_role("button", name="Retry").click()

    expect(page.locator(".summary .state")).to_contain_text("ERR_HANDLER_NOT_EXISTS")
    page.goto(f"{desk.url}/jobs?job_status=failed&job_type=faulty")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_another_page_shows_the_list_by_one_tag(desk: Desk) -> None:
    ended_import(desk.platform.first, submit_import(desk.platform.first, "embedded", order_rows(2, "embedded-")))
    page = desk.sit()
    body = '<html lang="en"><body><h1>Other</h1><script type="module" src="/static/js/embed.js"></script></body></html>'
    page.route("**/other", lambda route: route.fulfill(body=body, content_type="text/html"))

    page.goto(desk.url + "/other")

    expect(_row(page, "embedded.xlsx")).to_contain_text("2 of 2 rows")
    _row(page, "embedded.xlsx").get_by_role("button", name=re.compile("^Hide")).click()
    expect(_row(page, "embedded.xlsx")).to_have_count(0)


def test_statistics_are_drawn(desk: Desk) -> None:
    page = desk.sit("/statistics?job_type=ping&jobtag_name=region&jobtag_values=bj,sh")

    expect(page.locator(".canvas[data-drawn] canvas")).to_have_count(3)
    expect(page.get_by_label("Plugin")).to_have_value("ping")
    page.locator(".canvas").first.hover()
    expect(page.locator("figure").nth(2).locator("summary")).to_be_visible()


def test_five_thousand_tasks_are_scrolled_through(desk: Desk) -> None:
    add_ended_tasks(desk.platform, 5000, "many")
    page = desk.sit("/?text=many")
    expect(page.locator(".task").first).to_be_visible()

    def scroll_to_the_end() -> bool:
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        return page.locator(".task", has_text="many-0.xlsx").count() == 1

    wait_for(scroll_to_the_end, 60, "the oldest task")
    assert page.locator(".task").count() < 60, "what is out of sight is not drawn"


def test_focus_goes_to_the_neighbour_of_a_task_that_is_hidden(desk: Desk) -> None:
    for name in ("focus-a", "focus-b"):
        ended_import(desk.platform.first, submit_import(desk.platform.first, name, order_rows(2, name)))
    page = desk.sit("/?text=focus-")
    _row(page, "focus-b").get_by_role("button", name=re.compile("^Hide")).focus()

    page.keyboard.press("Enter")

    expect(page.locator(".task")).to_have_count(1)
    expect(_row(page, "focus-a").locator("a[data-row-link]")).to_be_focused()


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(desk: Desk, language: str, scheme: str) -> None:
    task_id = submit_import(
        desk.platform.first, f"axe-{language}-{scheme}", order_rows(20, f"axe-{language}-{scheme}-")
    )
    ended_import(desk.platform.first, task_id)
    page = desk.sit(color_scheme=scheme, locale=language)

    found = []
    for path in [*PAGES, f"/tasks/{task_id}"]:
        page.goto(desk.url + path)
        page.wait_for_load_state("networkidle")
        found += serious_findings(page)

    assert found == []


def test_nothing_is_wider_than_a_small_phone(desk: Desk) -> None:
    task_id = submit_import(desk.platform.first, "narrow", order_rows(20, "narrow-"))
    ended_import(desk.platform.first, task_id)
    page = desk.sit(viewport={"width": 360, "height": 740})

    for path in [*PAGES, f"/tasks/{task_id}"]:
        page.goto(desk.url + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
