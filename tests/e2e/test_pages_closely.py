"""What the pages do beyond their main paths: who looks elsewhere is told, thousands of rows, a retry that succeeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.browser import Desk
from tests.support.cluster import Cluster
from tests.support.export_jobs import start_export
from tests.support.import_jobs import (
    add_ended_import,
    add_ended_tasks,
    add_lost_runs,
    add_waiting_tasks,
    order_rows,
)
from tests.support.job_client import JOB_SETTINGS, JobClient, task
from tests.support.order_files import save_orders
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(180)
_NOTE_NOTIFICATIONS = """
window.notified = [];
window.Notification = class extends Notification {
  constructor(title, options) {
    super(title, options);
    window.notified.push({ title, tag: options.tag, shown: this });
  }
};
"""
_LOOK_AWAY = """(isHidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One platform with the demo orders and the tests' own jobs."""
    with Cluster(tmp_path_factory.mktemp("platform"), demo_orders=True, **JOB_SETTINGS) as cluster:
        yield cluster


def test_who_looks_elsewhere_is_notified_of_a_task_that_ends(desk: Desk, tmp_path: Path) -> None:
    page = desk.sit()
    page.context.grant_permissions(["notifications"])
    page.context.add_init_script(_NOTE_NOTIFICATIONS)
    page.reload()
    page.get_by_label("Notify me when a task ends").check()
    # A clock of the page's own, as a hidden page asks every ten seconds.
    page.clock.install()
    page.reload()
    expect(page.get_by_label("Notify me when a task ends")).to_be_checked()
    task_id = desk.platform.submit("work_until_told", {"began": str(tmp_path / "began")}, business_name="Night run")
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator(".task .state")).to_contain_text("Running")

    page.evaluate(_LOOK_AWAY, True)
    desk.platform.tasks.close(task_id)
    desk.platform.ended(task_id)
    page.clock.run_for(10_000)

    wait_for(lambda: page.evaluate("notified.length"), 30, "the notification")
    assert page.evaluate("notified.map(({ title, tag }) => [title, tag])") == [
        ["Night run: Stopped", f"task-{task_id}"]
    ]
    expect(page).to_have_title(re.compile(r"^\(1\) Task centre"))
    expect(page.locator(".toast")).to_contain_text("Night run: Stopped")
    page.evaluate("notified[0].shown.onclick()")
    expect(page).to_have_url(f"{desk.url}/tasks/{task_id}")
    page.evaluate(_LOOK_AWAY, False)
    expect(page).to_have_title(re.compile(r"^Night run"))


def test_ends_of_the_clerks_own_tasks_are_told_on_other_pages(desk: Desk, tmp_path: Path) -> None:
    page = desk.sit("/?text=watched")
    begun = {"began": str(tmp_path / "began")}
    colleague = desk.platform.submit("work_until_told", begun, business_name="watched by no one")
    mine = desk.platform.submit("work_until_told", begun, business_name="watched", submitted_by="clerk")
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator(".task")).to_have_count(2)

    page.get_by_role("link", name="Export orders").click()
    expect(page.locator("#export-form")).to_be_visible()
    for task_id in (colleague, mine):
        desk.platform.tasks.close(task_id)
        desk.platform.ended(task_id)

    expect(page.locator(".toast")).to_have_text(re.compile("^watched: Stopped"))
    page.locator(".toast a").click()
    expect(page.locator("h1")).to_contain_text(f"#{mine}")


def test_hidden_page_asks_for_nothing_where_nobody_wants_to_be_notified(desk: Desk, tmp_path: Path) -> None:
    page = desk.sit()
    page.clock.install()
    page.reload()
    task_id = desk.platform.submit("work_until_told", {"began": str(tmp_path / "began")}, business_name="Unasked")
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator(".task", has_text="Unasked").locator(".state")).to_contain_text("Running")
    asked: list[str] = []

    page.evaluate(_LOOK_AWAY, True)
    page.wait_for_load_state("networkidle")
    page.on("request", lambda request: "/pages/" in request.url and asked.append(request.url))
    page.clock.run_for(60_000)

    assert asked == []
    desk.platform.tasks.close(task_id)


@pytest.mark.parametrize(("language", "said"), [("en-GB", "blocks notifications"), ("zh-CN", "已阻止本站的通知")])
def test_denied_notifications_are_told_in_words(desk: Desk, language: str, said: str) -> None:
    # Without leave to ask, this browser denies at once.
    page = desk.sit(locale=language)

    page.locator("#notify").press("Space")

    expect(page.locator("footer").get_by_role("status")).to_contain_text(said)
    expect(page.locator("#notify")).not_to_be_checked()


def _drawn(page: Page) -> Locator:
    return page.locator(".row-space [role=row]")


def test_ten_thousand_rows_are_scrolled_through_and_few_are_drawn(desk: Desk) -> None:
    task_id = add_ended_import(desk.platform, 10_000, "long-", bad_every=100)
    page = desk.sit(f"/tasks/{task_id}")
    expect(_drawn(page).first).to_be_visible()
    expect(page.locator("#rows-shown")).to_have_value("open")
    page.select_option("#rows-shown", "all")
    table = page.get_by_role("table", name="Rows of the import: 10,000")
    expect(table).to_have_attribute("aria-rowcount", "10001")
    expect(page.locator(".row-heads [role=row]")).to_have_attribute("aria-rowindex", "1")

    page.locator(".scroll").focus()
    page.keyboard.press("End")

    expect(page.get_by_text("long-9999", exact=True)).to_be_visible()
    expect(_drawn(page).last).to_have_attribute("aria-rowindex", "10001")
    assert _drawn(page).count() < 60, "what is out of sight is not drawn"


def test_failed_rows_of_ten_thousand_are_filtered_and_corrected_by_keys(desk: Desk) -> None:
    task_id = add_ended_import(desk.platform, 10_000, "keyed-", bad_every=100)
    page = desk.sit(f"/tasks/{task_id}?rows=open")
    expect(page.locator("#rows-title")).to_be_focused()
    page.select_option("#rows-shown", "failed")
    expect(page.get_by_role("table", name="Rows of the import: 100")).to_have_attribute("aria-rowcount", "101")
    fields = page.locator(".row-space input")

    fields.first.focus()
    for place in range(2, 42):
        expect(page.locator(f".row-space [aria-rowindex='{place}'] input")).to_be_focused()
        page.keyboard.press("Tab")
    page.keyboard.type("85123A")
    page.locator(".scroll").evaluate("place => place.scrollTo(0, 0)")
    expect(page.locator(".row-space [aria-rowindex='2']")).to_be_visible()

    expect(page.locator(".row-space [aria-rowindex='42'] input")).to_be_focused()
    expect(page.locator("#run-these")).to_contain_text("1")
    assert _drawn(page).count() < 60, "what is out of sight is not drawn"


def test_job_that_failed_once_is_retried_on_its_page_and_succeeds(desk: Desk) -> None:
    jobs = JobClient.of(desk.platform)
    job_id = jobs.create_graph(
        task("first"),
        task("weak", "/tries/fail_until", "first", params={"attempt": 2}),
        task("last", "/demo_api/ping", "weak"),
    )
    page = desk.sit(f"/jobs/{job_id}")
    expect(page.locator(".summary .state")).to_contain_text("Failed · ERR_NOT_YET")
    expect(page.locator(".node.failed")).to_contain_text("weak")
    expect(page.locator(".node.waiting")).to_contain_text("last")

    page.get_by_role("button", name="Retry").click()

    expect(page.locator(".summary .state")).to_contain_text("Finished")
    expect(page.locator(".node.finished")).to_have_count(3)
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    page.locator(".node", has_text="weak").click()
    expect(page.locator("#task-detail")).to_contain_text('"attempt": 2')


def test_job_that_failed_shows_how_its_other_tasks_go_on(desk: Desk, tmp_path: Path) -> None:
    jobs = JobClient.of(desk.platform)
    gate = tmp_path / "gate"
    slow = task("slow", "/tries/wait_for", params={"path": str(gate)})
    page = desk.sit(f"/jobs/{jobs.create_graph(slow, task('bad', '/tries/fail'))}")
    expect(page.locator(".summary .state")).to_contain_text("Failed · ERR_OWN")
    row = page.locator(".gantt li", has_text="slow")
    expect(row).to_contain_text("◐")

    expect(row).not_to_have_text(row.inner_text())
    gate.touch()

    expect(page.locator(".node.finished")).to_contain_text("slow")
    expect(page.locator(".gantt .span.finished")).to_have_count(1)


def test_runs_of_an_open_task_of_a_job_appear_with_what_they_logged(desk: Desk, tmp_path: Path) -> None:
    jobs = JobClient.of(desk.platform)
    gate, text = tmp_path / "gate", "</code><img src=x onerror=alert(1)>"
    first = task("first", "/tries/wait_for", params={"path": str(gate)})
    dying = task("dying", "/tries/die_once", "first", params={"path": str(tmp_path / "died")})
    last = task("last", "/tries/log", "dying", params={"text": text})
    page = desk.sit(f"/jobs/{jobs.create_graph(first, dying, last)}", timezone_id="America/New_York")
    page.locator(".node", has_text="dying").click()
    expect(page.locator("#task-detail h2")).to_have_text("dying")
    expect(page.locator("#task-detail .run")).to_have_count(0)

    gate.touch()

    expect(page.locator("#task-detail .run h3")).to_contain_text(["its worker died", "Finished"])
    time = page.locator("#task-detail .log time").first
    moment = datetime.fromisoformat(time.get_attribute("datetime") or "").astimezone(ZoneInfo("Asia/Shanghai"))
    expect(time).to_have_text(f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}")
    page.locator(".node", has_text="last").click()
    expect(page.locator("#task-detail .log")).to_contain_text(text)
    expect(page.locator("#task-detail .log img")).to_have_count(0)


def test_timeline_folds_all_but_the_latest_runs_and_tells_of_a_correction(desk: Desk) -> None:
    task_id = add_ended_import(desk.platform, 100, "often-run")
    add_lost_runs(desk.platform, task_id, 49)
    page = desk.sit(f"/tasks/{task_id}")
    steps = page.locator(".timeline > li")
    expect(steps).to_contain_text(["Submitted", "47 earlier runs", "Run 48 began", "Ended"])
    expect(page.get_by_text("Run 1 began")).to_be_hidden()

    page.locator(".timeline summary").press("Enter")
    expect(page.get_by_text("Run 1 began")).to_be_visible()
    page.locator(".row-space input").fill("85123A")
    page.click("#run-these")

    expect(page.locator(".summary .state")).to_contain_text("Finished")
    expect(steps.last).to_contain_text("Partly succeeded; Finished since rows were corrected")


@pytest.mark.parametrize(("language", "said"), [("en-GB", "more than 1,000"), ("zh-CN", "超过第 1,000 位")])
def test_no_false_place_is_told_to_who_waits_behind_a_thousand(desk: Desk, language: str, said: str) -> None:
    # A queue that nobody serves: what waits there goes on waiting.
    add_waiting_tasks(desk.platform.databases.tasks_url, 1000, f"unserved-{language}")
    add_task = desk.platform.tasks.create
    task_id = add_task("S001", "demo.work", "{}", queue=f"unserved-{language}", business_name=language).task_id

    page = desk.sit("/?text=" + language, locale=language)

    expect(page.locator(".task")).to_contain_text(said)
    page.goto(f"{desk.url}/tasks/{task_id}")
    expect(page.locator(".summary")).to_contain_text(said)


def test_times_and_days_are_the_stations_wherever_the_browser_is(desk: Desk) -> None:
    # Kept as UTC: half past one in the next month by the station's clock.
    moment = datetime(2026, 1, 31, 17, 30)
    add_ended_tasks(desk.platform, 1, "zoned", **dict.fromkeys(("creat_time", "start_time", "end_time"), moment))
    page = desk.sit("/?text=zoned&since=2026-02-01&until=2026-02-01", timezone_id="America/New_York")
    expect(page.locator("header")).to_contain_text("Asia/Shanghai")
    expect(page.locator(".task")).to_contain_text(re.compile(r"Feb 1, 2026, 1:30:00\sAM"))

    page.fill("[name=until]", "2026-01-31")
    page.fill("[name=since]", "2026-01-31")

    expect(page.get_by_text("No task matches these filters.")).to_be_visible()


def test_every_page_shows_the_same_times_in_each_zone(desk: Desk) -> None:
    jobs = JobClient.of(desk.platform)
    job_id = jobs.ended(jobs.create_graph(task("a"), task("b", "/demo_api/ping", "a")))["job_id"]
    export_id = start_export(
        desk.platform.first,
        query_type=2,
        time_config_id="whole-day",
        cycle_start_time="2010-12-01 06:00",
        cycle_end_time="2010-12-02 06:00",
    )
    desk.platform.ended(export_id)
    paths = (
        f"/tasks/{export_id}",
        f"/jobs/{job_id}",
        "/jobs?job_type=graph",
        "/statistics?job_type=graph&group_by=day",
    )

    def shown(zone: str) -> list[str]:
        page = desk.sit(timezone_id=zone)
        return [_text_of(page, desk.url + path) for path in paths]

    there, here = shown("America/New_York"), shown("Asia/Shanghai")

    assert there == here
    assert re.search(r"Cycle starts\s+Dec 1, 2010, 6:00:00\sAM", here[0])
    created = datetime.fromisoformat(jobs.detail(job_id)["c_time"])
    assert all(f"{created:%b} {created.day}, {created.year}, " in text for text in here[1:3])
    assert f"{created:%Y-%m-%d}" in here[3]


def _text_of(page: Page, address: str) -> str:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    for summary in page.locator("figure summary").all():
        summary.click()
    return page.locator("main").inner_text() + page.locator("main").evaluate(
        "main => [...main.querySelectorAll('.span')].map((bar) => bar.style.cssText).join()"
    )


def test_page_shows_and_does_nothing_of_a_station_signed_in_in_another_tab(desk: Desk) -> None:
    add_ended_tasks(desk.platform, 1, "mine")
    page = desk.sit("/?text=mine")
    expect(page.locator(".task")).to_have_count(1)
    other = page.context.new_page()
    other.goto(desk.url + "/")
    other.click("#sign-out")
    other.wait_for_url("**/sign-in")
    desk.sign_in(other, "S002")
    desk.expect_problem("401")

    page.get_by_role("button", name="Refresh").click()

    expect(page.locator("#connection")).to_contain_text("You are signed out")
    expect(page.locator(".task")).to_have_count(1)
    page.get_by_role("navigation").get_by_role("link", name="Export orders").click()
    page.fill("[name=start_date]", "2010-12-01")
    page.fill("[name=end_date]", "2010-12-01")
    page.click("#export-form [type=submit]")
    expect(page.locator("#export-form")).to_contain_text("You are signed out. What you typed is still here.")
    expect(page.locator("#export-link")).to_have_count(0)


def test_import_whose_answer_was_lost_is_submitted_once_over_a_reload(desk: Desk, tmp_path: Path) -> None:
    file = save_orders(tmp_path / "lost answer.xlsx", order_rows(10, "lost-"))
    page = desk.sit("/import")
    page.route("**/batch/submit", _lose_the_answer, times=1)
    desk.expect_problem("ERR_CONNECTION_RESET")
    page.select_option("[name=time_config_id]", "whole-day")
    page.set_input_files("[name=file]", file)
    page.click("[value=import]")
    expect(page.locator("#import-form > .message")).to_contain_text("can't be reached")

    page.reload()
    page.set_input_files("[name=file]", file)
    page.click("[value=import]")

    expect(page.locator(".summary .state")).to_contain_text("Partly succeeded")
    page.goto(desk.url + "/?text=lost+answer")
    expect(page.locator(".task")).to_have_count(1)


def _lose_the_answer(route: Route) -> None:
    route.fetch()
    route.abort("connectionreset")
