"""The pages behind a real nginx that operators install: what clerks do there is as without it, and as protected."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect
from python_calamine import CalamineWorkbook

from tests.support.browser import Desk
from tests.support.cluster import Cluster
from tests.support.import_jobs import order_rows
from tests.support.nginx import Nginx
from tests.support.order_files import save_orders

pytestmark = pytest.mark.timeout(180)
PROTECTING = ("Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, nginx_program: str) -> Iterator[Cluster]:
    """One platform with the demo orders that hands its files to nginx."""
    folder = tmp_path_factory.mktemp("platform")
    settings = {
        "GM_ACCEL_LOCATION": "/files/",
        "GM_TRUSTED_PROXIES": "1",
        "GM_EMBED_ORIGINS": '["https://erp.example.com"]',
    }
    with Cluster(folder, demo_orders=True, **settings) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def nginx(platform: Cluster) -> Iterator[Nginx]:
    """The nginx before it."""
    service = platform.environment["GM_SERVICE_BIND"]
    with Nginx(platform.folder / "nginx", service, files_dir=platform.folder / "files") as running:
        yield running


@pytest.fixture
def desk(browser: Browser, platform: Cluster, nginx: Nginx) -> Iterator[Desk]:
    """A desk before nginx; whatever went wrong on its pages, or was asked of another address, fails the test."""
    desk = Desk(platform, browser, nginx.url)
    yield desk
    desk.leave()
    assert desk.unexpected() == []


def test_large_export_is_followed_and_its_file_opens(desk: Desk, nginx: Nginx) -> None:
    page = desk.sit("/export")
    page.fill("[name=start_date]", "2010-12-01")
    page.fill("[name=end_date]", "2010-12-05")
    page.click("#export-form [type=submit]")
    expect(page.locator(".summary .state")).to_contain_text("Finished")

    with page.expect_download() as started:
        page.click(".summary a.primary")

    book = CalamineWorkbook.from_filelike(io.BytesIO(Path(started.value.path()).read_bytes()))
    assert len(book.get_sheet_by_index(0).to_python()) > 1000
    assert started.value.suggested_filename.endswith(".xlsx")
    sent = nginx.logged(lambda line: "/station/download/async/" in line["path"] and line["status"] == 200)
    assert sent["bytes"] > 10_000


def test_xlsx_is_checked_imported_and_its_failed_row_corrected(desk: Desk, tmp_path: Path) -> None:
    page = desk.sit("/import")
    page.select_option("[name=time_config_id]", "whole-day")
    page.set_input_files("[name=file]", save_orders(tmp_path / "by nginx.xlsx", order_rows(10, "nginx-")))
    page.click("[value=check]")
    expect(page.locator(".verdict")).to_contain_text("1 of 10 rows would fail; 9 would be created")

    page.click("[value=import]")
    expect(page.locator(".summary .state")).to_contain_text("Partly succeeded")
    page.locator(".row-space input").fill("85123A")
    page.click("#run-these")

    expect(page.locator(".summary .state")).to_contain_text("Finished")


@pytest.mark.parametrize("path", ["/sign-in", "/embed", "/static/js/app.js", "/nothing"])
def test_pages_are_protected_by_the_same_headers_behind_nginx(platform: Cluster, nginx: Nginx, path: str) -> None:
    direct, behind = (requests.get(url + path, timeout=10).headers for url in (platform.first.url, nginx.url))

    assert "default-src 'self'" in direct["Content-Security-Policy"]
    assert [behind[name] for name in PROTECTING] == [direct[name] for name in PROTECTING]
