"""A marked import and a request that asks are profiled through the real processes, and explained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import expect

from shared.profiling.cli import profile as command
from shared.profiling.store import ProfileStore
from tests.conftest import SERVERS_REQUIRED
from tests.support.browser import CHROMIUM, Desk, open_browser, serious_findings
from tests.support.cluster import Cluster
from tests.support.import_jobs import ended_import, order_rows, submit_import
from tests.support.waiting import wait_for

KEY = "operator-" + "k" * 32
IMPORT = "gm_task.functions.orders.import_orders"
CREATE = "POST /no_login/station/order/batch/create"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profiles")


@pytest.fixture(scope="module")
def platform(make_platform: Callable[..., Cluster], folder: Path) -> Iterator[Cluster]:
    yield make_platform("embedded", GM_PROFILE_DIR=str(folder), GM_PROFILE_KEY=KEY, GM_SIGNED_CALLS="require")


def gm_profile(folder: Path, *arguments: str) -> str:
    done = CliRunner().invoke(command, ["--folder", str(folder), *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def names_of(folder: Path, task_id: int) -> set[str]:
    return {record["name"] for record in ProfileStore(folder).find(str(task_id))}


def test_a_marked_import_is_explained_with_the_requests_it_made(platform: Cluster, folder: Path) -> None:
    gm_profile(folder, "task", IMPORT)

    task_id = submit_import(platform.first, "profiled", order_rows(200, "profiled-"))
    ended_import(platform.first, task_id)

    # A request's record is written once its answer is sent.
    wait_for(lambda: CREATE in names_of(folder, task_id), what="the record of the last request")
    told = gm_profile(folder, "explain", str(task_id), "-o", str(folder / "report.html"))
    assert f"task {task_id}, run 1: {IMPORT}" in told
    assert IMPORT in names_of(folder, task_id)
    # The terminal has the ten that took longest.
    page = (folder / "report.html").read_text()
    assert "INSERT INTO orders" in page
    assert "judge_rows" in page


def test_a_request_is_profiled_through_both_services(platform: Cluster, folder: Path) -> None:
    asking = {"X-Profile": "cprofile", "X-Profile-Key": KEY, "X-Request-Id": "slow-list"}

    answer = platform.first.get("/async_task/list", headers=asking)

    assert answer.status_code == 200
    wait_for(lambda: len(ProfileStore(folder).find("slow-list")) >= 2, what="both services' records")
    told = gm_profile(folder, "explain", "slow-list")
    assert f"{answer.headers['X-Profile-Id']}" in gm_profile(folder, "list")
    assert "gm_service/stations/store.py" in told
    assert "gm_async_task/tasks/listing.py" in told


@pytest.mark.skipif(
    CHROMIUM is None and not SERVERS_REQUIRED, reason="chromium is not here (apt-get install chromium); pages"
)
def test_an_operator_has_the_next_import_profiled_and_reads_why_it_took_that_long(platform: Cluster) -> None:
    first = submit_import(platform.first, "unprofiled", order_rows(20, "unprofiled-"))
    ended_import(platform.first, first)
    with open_browser() as browser:
        desk = Desk(platform, browser)
        page = desk.sit(f"/tasks/{first}")
        page.click(".operators summary")
        page.fill("[name=key]", KEY[:-1])
        page.press("[name=key]", "Enter")
        expect(page.locator(".operators [role=alert]")).to_contain_text("The operator's key is wrong")
        desk.expect_problem("403")
        page.fill("[name=key]", KEY)
        page.press("[name=key]", "Enter")
        expect(page.locator(".operators")).to_contain_text("No run of this task was profiled")
        page.click("#profile-next")
        expect(page.locator(".operators .good")).to_contain_text(f"Marked: the next run of {IMPORT}")
        assert serious_findings(page) == []

        second = submit_import(platform.first, "from the page", order_rows(20, "page-"))
        ended_import(platform.first, second)
        page.goto(f"{desk.url}/tasks/{second}")
        link = page.locator(".profiled a")
        expect(link).to_have_count(1)
        page.goto(desk.url + str(link.get_attribute("href")))

        expect(page.locator("h1")).to_contain_text(f"task {second}, run 1: {IMPORT}")
        expect(page.locator("svg")).not_to_have_count(0)
        # The policy let the page's own styles in.
        expect(page.locator(".bar").first).to_have_css("background-color", "rgb(204, 153, 102)")
        desk.leave()
        assert desk.unexpected() == []


def test_the_operators_key_is_in_no_log_and_no_record(platform: Cluster, folder: Path) -> None:
    kept = "".join(path.read_text("utf-8", "replace") for path in folder.rglob("*.*") if path.is_file())

    assert KEY not in platform.logs()
    assert kept
    assert KEY not in kept
