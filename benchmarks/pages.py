"""How soon the task centre shows rows, and how it and an import's rows scroll, by thousands on a slowed processor.

    python -m benchmarks.pages [--tasks 5000] [--rows 10000] [--slowdown 4] [--rounds 5]

Each round is a browser context of its own, with nothing cached, in Debian's chromium on the real processes. Beside it,
in turn, a page of the same service that waits for no script: the sign-in page, to its first field.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from tests.support.browser import Desk, open_browser
from tests.support.cluster import Cluster
from tests.support.import_jobs import add_ended_import, add_ended_tasks

# Scrolls through all of the place with this selector and returns the longest time between two frames, in milliseconds.
_SCROLL = """async (selector) => {
  const place = document.querySelector(selector);
  let slowest = 0;
  let before = await new Promise(requestAnimationFrame);
  for (let step = 0; step <= 60; step += 1) {
    place.scrollTop = (place.scrollHeight * step) / 60;
    const now = await new Promise(requestAnimationFrame);
    slowest = Math.max(slowest, now - before);
    before = now;
  }
  return slowest;
}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--slowdown", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    rows, fields, frames, table_frames, ends = [], [], [], [], []
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder)) as platform, open_browser() as browser:
        add_ended_tasks(platform, given.tasks, "many")
        import_id = add_ended_import(platform, given.rows, "long-")
        desk = Desk(platform, browser)
        for _ in range(given.rounds):
            fields.append(shown(desk.open(), desk.url + "/sign-in", "[name=username]", given.slowdown))
            page = desk.sit("/export")
            rows.append(shown(page, desk.url + "/", ".task", given.slowdown))
            frames.append(page.evaluate(_SCROLL, "html"))
            shown(page, f"{desk.url}/tasks/{import_id}", ".row-space [role=row]", given.slowdown)
            ends.append(shown_to_the_end(page))
            table_frames.append(page.evaluate(_SCROLL, ".scroll"))
            desk.leave()
    first_rows, first_field = statistics.median(rows), statistics.median(fields)
    print(f"{given.tasks} tasks, processor slowed {given.slowdown:g} times, median of {given.rounds}\n")
    print("| | |\n| --- | --- |")
    print(f"| first rows of the task centre | {first_rows:.2f} s |")
    print(f"| first field of the sign-in page | {first_field:.2f} s |")
    print(f"| ratio | {first_rows / first_field:.1f} |")
    print(
        f"| longest frame while scrolling through all tasks, and in the worst round | "
        f"{statistics.median(frames):.0f} ms, {max(frames):.0f} ms |"
    )
    print(f"| from the first to the last of {given.rows} rows of an import | {statistics.median(ends):.2f} s |")
    print(
        f"| longest frame while scrolling through these rows, and in the worst round | "
        f"{statistics.median(table_frames):.0f} ms, {max(table_frames):.0f} ms |"
    )


def shown(page: Page, address: str, what: str, slowdown: float) -> float:
    """Return the seconds from asking for a page, nothing cached, to the first element of it that counts."""
    tools = page.context.new_cdp_session(page)
    tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    tools.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator(what).first.wait_for()
    return time.perf_counter() - began


def shown_to_the_end(page: Page) -> float:
    """Return the seconds from going to the end of an import's rows to its last row."""
    page.select_option("#rows-shown", "all")
    page.locator("[aria-rowindex='2']").wait_for()
    page.focus(".scroll")
    began = time.perf_counter()
    page.keyboard.press("End")
    last = int(page.locator(".rows").get_attribute("aria-rowcount") or 0)
    page.locator(f"[aria-rowindex='{last}']").wait_for()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
