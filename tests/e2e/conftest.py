"""A browser for the tests of pages, and a desk in it before the platform of each file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.conftest import SERVERS_REQUIRED
from tests.support.browser import CHROMIUM, Desk, open_browser
from tests.support.cluster import Cluster


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser; skips where there is none, unless servers are required."""
    if CHROMIUM is None and not SERVERS_REQUIRED:
        pytest.skip("chromium is not here (apt-get install chromium); pages")
    with open_browser() as opened:
        yield opened


@pytest.fixture
def desk(browser: Browser, platform: Cluster) -> Iterator[Desk]:
    """A desk before the file's `platform`; whatever went wrong on its pages fails the test."""
    desk = Desk(platform, browser)
    yield desk
    desk.leave()
    assert desk.unexpected() == []
