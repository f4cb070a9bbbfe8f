"""A browser that people of a station use, and that notes whatever a page does wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.support.cluster import Cluster

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).parents[1] / "vendor" / "axe-4.14.1.min.js"
_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error(`CSP ${violatedDirective} ${blockedURI}`));
"""
# What is expected comes within a second or two on a machine of one's own.
expect.set_options(timeout=20_000)


class Desk:
    """One browser; each `sit` is a person of their own, with a session of their own."""

    def __init__(self, platform: Cluster, browser: Browser, url: str | None = None) -> None:
        """Sit before the platform itself, or before what stands before it at `url`."""
        self.platform = platform
        self.url = url or platform.first.url
        self.problems: list[str] = []
        """errors of scripts, refusals by the policy, requests to other machines"""
        self._expected: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def open(self, path: str = "/sign-in", **options: Any) -> Page:
        """Open a page as a stranger; `options` are those of playwright's contexts."""
        given = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options}
        context = self._browser.new_context(**given)
        context.add_init_script(_TELL_VIOLATIONS)
        context.set_default_timeout(20_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self._check_address(request.url))
        page.goto(self.url + path)
        return page

    def sit(self, path: str = "/", station_id: str = "S001", **options: Any) -> Page:
        """Sign in as the clerk of a station and go to a page."""
        page = self.open("/sign-in", **options)
        self.sign_in(page, station_id)
        if path != "/":
            page.goto(self.url + path)
        return page

    def sign_in(self, page: Page, station_id: str = "S001") -> None:
        """Sign in on a page that asks for it."""
        page.fill("[name=station_id]", station_id)
        page.fill("[name=username]", "clerk")
        page.fill("[name=password]", self.platform.secrets["GM_DEMO_PASSWORD"])
        page.click("button[type=submit]")
        page.wait_for_url(f"{self.url}/")

    def expect_problem(self, part: str) -> None:
        """Forgive what a test causes itself, whenever the browser comes to tell it."""
        self._expected.append(part)

    def unexpected(self) -> list[str]:
        """Return what went wrong."""
        return [problem for problem in self.problems if not any(part in problem for part in self._expected)]

    def leave(self) -> None:
        """Close every page."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def _check_address(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(self.url).netloc:
            self.problems.append(f"asked {address}")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Debian's chromium."""
    playwright: Playwright
    with sync_playwright() as playwright:
        # Within a container it can't make a sandbox of its own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def serious_findings(page: Page) -> list[str]:
    """Return what axe finds serious or critical on the page as it is."""
    # Through the debugging protocol, as the page's own policy lets no such script in.
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
