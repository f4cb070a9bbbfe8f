"""The task list in pages of other origins: shown where the operators name the origin, and nothing else of ours ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from playwright.sync_api import FrameLocator, Page, expect

from tests.support.browser import Desk
from tests.support.cluster import Cluster
from tests.support.import_jobs import add_ended_tasks

pytestmark = pytest.mark.timeout(120)


class Host(BaseHTTPRequestHandler):
    """Pages of somebody else's."""

    def do_GET(self) -> None:
        """Answer with a page that has one tag of ours."""
        server: Any = self.server
        body = f"<html lang='en'><title>ERP</title><body><h1>ERP</h1>{server.tag}</body></html>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def hosts() -> Iterator[list[ThreadingHTTPServer]]:
    """Two servers with pages of somebody else's."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Host) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, hosts: list[ThreadingHTTPServer]) -> Iterator[Cluster]:
    """One platform that lets the first of the hosts in, by both of its names."""
    port = hosts[0].server_port
    origins = f'["http://127.0.0.1:{port}", "http://localhost:{port}"]'
    with Cluster(tmp_path_factory.mktemp("platform"), GM_EMBED_ORIGINS=origins) as cluster:
        add_ended_tasks(cluster, 1, "framed")
        script = (
            f'<div id="gm-tasks"></div><script type="module" src="{cluster.first.url}/static/js/embed.js"></script>'
        )
        for host in hosts:
            host.tag = script  # type: ignore[attr-defined]
        yield cluster


def _visit(desk: Desk, page: Page, host: ThreadingHTTPServer, name: str = "127.0.0.1") -> FrameLocator:
    address = f"http://{name}:{host.server_port}/"
    desk.expect_problem(f"asked {address}")
    page.goto(address)
    return page.frame_locator("#gm-tasks iframe")


def test_named_origin_shows_the_list_and_its_links_open_beside_it(desk: Desk, hosts: list[ThreadingHTTPServer]) -> None:
    page = desk.sit()

    frame = _visit(desk, page, hosts[0])

    row = frame.locator(".task", has_text="framed-0.xlsx")
    expect(row).to_contain_text("2 of 2 rows")
    expect(frame.get_by_text("Times are in Asia/Shanghai")).to_be_visible()
    with page.context.expect_page() as opened:
        row.locator("[data-row-link]").click()
    expect(opened.value.locator("h1")).to_contain_text("framed-0.xlsx")
    row.get_by_role("button", name="Hide").click()
    expect(row).to_have_count(0)


def test_who_signs_in_in_another_tab_finds_the_list_there(desk: Desk, hosts: list[ThreadingHTTPServer]) -> None:
    page = desk.open()
    desk.expect_problem("401")
    frame = _visit(desk, page, hosts[0])
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="Sign in in a new tab").click()

    desk.sign_in(opened.value)
    opened.value.close()
    page.bring_to_front()
    page.frames[1].evaluate("dispatchEvent(new Event('focus'))")

    expect(frame.get_by_role("heading", name="Bristol depot")).to_be_visible()


def test_another_origin_is_shown_nothing(desk: Desk, hosts: list[ThreadingHTTPServer]) -> None:
    page = desk.sit()
    desk.expect_problem("frame-ancestors")
    desk.expect_problem("ERR_BLOCKED_BY_RESPONSE")

    frame = _visit(desk, page, hosts[1])

    page.wait_for_load_state("networkidle")
    expect(page.locator("#gm-tasks iframe")).to_have_count(1)
    expect(frame.locator("#gm-tasks")).to_have_count(0)


def test_another_site_has_no_session_even_where_it_is_named(desk: Desk, hosts: list[ThreadingHTTPServer]) -> None:
    page = desk.sit()
    desk.expect_problem("401")

    frame = _visit(desk, page, hosts[0], name="localhost")

    expect(frame.get_by_role("link", name="Sign in in a new tab")).to_be_visible()
    expect(frame.locator(".task")).to_have_count(0)


@pytest.mark.parametrize("path", ["/", "/sign-in", "/tasks/1"])
def test_no_other_page_may_be_framed(platform: Cluster, path: str) -> None:
    answer = requests.get(platform.first.url + path, timeout=10)

    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers
