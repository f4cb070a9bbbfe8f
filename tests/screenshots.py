"""Takes the screenshots of docs/pages.md from real processes and the demo orders: `python -m tests.screenshots`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.support.browser import Desk, open_browser
from tests.support.cluster import Cluster
from tests.support.import_jobs import ended_import, order_rows, slow_rows, submit_import
from tests.support.job_client import JobClient

FOLDER = Path("docs/screenshots")
SIZE = {"width": 1120, "height": 700}


def main() -> None:
    """Take each page in both themes and both languages."""
    FOLDER.mkdir(exist_ok=True)
    with Cluster(Path(tempfile.mkdtemp()), demo_orders=True) as platform, open_browser() as browser:
        desk = Desk(platform, browser)
        task_id, job_id = _fill(platform)
        for language in ("en", "zh"):
            for theme in ("light", "dark"):
                options = {"viewport": SIZE, "color_scheme": theme, "locale": language}
                _shoot(desk.open("/sign-in", **options), f"sign-in-{theme}-{language}")
                page = desk.sit("/", **options)
                _shoot_centre(platform, page, f"{theme}-{language}")
                _shoot_forms(desk, page, f"{theme}-{language}")
                for name, path in (("job", f"/jobs/{job_id}"), ("jobs", "/jobs")):
                    page.goto(desk.url + path)
                    _shoot(page, f"{name}-{theme}-{language}")
                page.set_viewport_size({**SIZE, "height": 1100})
                page.goto(f"{desk.url}/tasks/{task_id}")
                page.wait_for_selector(".row-space input")
                _shoot(page, f"task-{theme}-{language}")
                page.goto(f"{desk.url}/statistics?job_type=hello&group_by=day")
                page.wait_for_selector(".canvas[data-drawn]")
                page.wait_for_timeout(1500)  # the lines are drawn in slowly
                _shoot(page, f"statistics-{theme}-{language}")
                desk.leave()


def _fill(platform: Cluster) -> tuple[int, int]:
    """Leave some tasks and jobs; return an import with failed rows and a job."""
    month = {"query_type": 1, "start_date": "2010-12-01", "end_date": "2010-12-10"}
    ended_import(platform.first, platform.first.data("/station/sales_analysis/orderdetail", **month)["task_id"])
    task_id = submit_import(platform.first, "orders-monday", order_rows(60, "monday-"))
    ended_import(platform.first, task_id)
    ended_import(platform.first, submit_import(platform.first, "orders-tuesday", order_rows(25, "tue-", 100)))
    jobs = JobClient.of(platform)
    for number in range(4):
        jobs.ended(jobs.create("ping", job_name=f"ping-{number}"))
    return task_id, jobs.ended(jobs.create("hello", job_name="good-morning", job_extra={"str_info": "hello"}))["job_id"]


def _shoot_centre(platform: Cluster, page: Page, name: str) -> None:
    running = submit_import(platform.first, f"large-{name}", slow_rows(3000, f"{name}-"))
    page.reload()
    page.get_by_text(f"large-{name}.xlsx").wait_for()
    page.wait_for_selector(".task progress")
    page.wait_for_timeout(1200)
    _shoot(page, f"centre-{name}")
    platform.first.post("/async_task/close", {"task_id": running})
    ended_import(platform.first, running)


def _shoot_forms(desk: Desk, page: Page, name: str) -> None:
    page.goto(desk.url + "/export")
    page.fill("[name=start_date]", "2010-12-01")
    page.fill("[name=end_date]", "2010-12-05")
    page.wait_for_selector("#forecast:not(:empty)")
    _shoot(page, f"export-{name}")
    page.goto(desk.url + "/import")
    page.select_option("[name=time_config_id]", "whole-day")
    page.click("details summary")
    page.fill("[name=rows]", '[{"order_no": "B-1", "order_time": "2010-12-24 10:00", "sku": "85123A", "quantity": 0}]')
    page.click("[value=check]")
    page.wait_for_selector(".verdict")
    _shoot(page, f"import-{name}")


def _shoot(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
