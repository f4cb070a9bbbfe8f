"""The whole platform with its files in an S3-compatible store: exports, killed workers, and the store away."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from shared.task_api.models import TaskStatus
from tests.support.cluster import ROOT, Cluster, StationClient
from tests.support.export_jobs import EXPORT, start_export
from tests.support.import_jobs import ended_import
from tests.support.nginx import Nginx
from tests.support.s3 import S3Server
from tests.support.waiting import wait_for

MONTH = {"start_date": "2010-12-01", "end_date": "2010-12-23"}
UPLOAD_SECONDS = 3

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    running = S3Server(tmp_path_factory.mktemp("s3"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def platform(server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("platform")
    environment = server.environment | {"GM_UPLOAD_SECONDS": str(UPLOAD_SECONDS)}
    with Cluster(folder, demo_orders=True, **environment) as running:
        yield running


def scratch_files(platform: Cluster) -> list[str]:
    return [path.name for path in Path(platform.environment["GM_FILES_DIR"]).rglob("*") if path.is_file()]


def test_large_export_is_downloaded_by_following_the_link(platform: Cluster, server: S3Server) -> None:
    ended = ended_import(platform.first, start_export(platform.first, **MONTH))
    result = ended["result"]
    whole = platform.first.get(result["link"])
    rest = platform.first.get(result["link"], {"Range": f"bytes={result['bytes'] - 4}-"})

    assert (ended["status"], whole.status_code, whole.url.startswith(server.url)) == (3, 200, True)
    assert hashlib.sha256(whole.content).hexdigest() == result["sha256"]
    assert (rest.status_code, rest.content) == (206, whole.content[-4:])
    assert platform.second.get(result["link"]).status_code == 404
    assert scratch_files(platform) == []


def test_small_export_is_downloaded_by_following_the_link(platform: Cluster, server: S3Server) -> None:
    cycle = {"query_type": 1, "start_date": "2010-12-12", "end_date": "2010-12-12", "search_text": "536370"}

    data = platform.first.data(EXPORT, **cycle)
    answer = platform.first.get(data["link"])

    assert (data["async"], answer.status_code, answer.url.startswith(server.url)) == (0, 200, True)
    assert answer.content.startswith(b"PK")
    assert scratch_files(platform) == []


def test_killed_worker_leaves_one_file_of_the_last_run(platform: Cluster, server: S3Server) -> None:
    task_id = start_export(platform.first, **MONTH, format="yongyou")
    wait_for(lambda: (platform.tasks.get(task_id).progress or 0) > 0, 30, "some progress")

    platform.processes["gm_task"].kill()
    server.put(f"export/{task_id}.1.xlsx")  # as if it had died between its upload and its report
    platform.start("gm_task")
    ended = ended_import(platform.first, task_id)

    run_count = platform.tasks.get(task_id).run_count
    assert (ended["status"], run_count >= 2) == (3, True)
    assert [file for file in server.files() if f"/{task_id}." in file] == [f"export/{task_id}.{run_count}.xlsx"]


def test_task_closed_while_the_store_is_silent_ends_soon(platform: Cluster, server: S3Server) -> None:
    server.freeze()
    try:
        task_id = start_export(platform.first, **MONTH, format="house_csv")
        wait_for(lambda: platform.tasks.get(task_id).progress == 100, 30, "the script's end")
        assert platform.first.post("/async_task/close", {"task_id": task_id}).ok
        ended = platform.ended(task_id, 45)
    finally:
        server.thaw()

    assert (ended.status, ended.reason_code) == (TaskStatus.FAILED, "closed")


def test_store_that_is_away_ends_the_export_with_its_reason_and_the_next_one_works(
    platform: Cluster, server: S3Server
) -> None:
    server.kill()
    lost = ended_import(platform.first, start_export(platform.first, **MONTH, format="yongyou_xml"))
    chinese = platform.first.get("/async_task/detail", {"Accept-Language": "zh"}, task_id=lost["task_id"]).json()[
        "data"
    ]
    server.start()
    again = ended_import(platform.first, start_export(platform.first, **MONTH, format="yongyou_xml"))

    assert (lost["status"], lost["reason"]) == (
        5,
        "The file store does not answer right now; try again later, and tell the operators when it happens again.",
    )
    assert chinese["reason"] == "文件已生成，但文件存储没有响应，请稍后重试。"
    assert (again["status"], platform.first.get(again["result"]["link"]).status_code) == (3, 200)


def test_browsers_reach_a_store_inside_by_nginx(
    platform: Cluster, server: S3Server, nginx_program: str, tmp_path: Path
) -> None:
    """With the file that docker-compose.yml mounts; an address is signed for nginx' name and leads no further."""
    conf = (ROOT / "docker/nginx/gm.d/store.conf").read_text()
    (tmp_path / "nginx" / "gm.d").mkdir(parents=True)
    (tmp_path / "nginx" / "gm.d" / "store.conf").write_text(conf.replace("s3:9000", f"127.0.0.1:{server.port}"))
    link = ended_import(platform.first, start_export(platform.first, **MONTH, format="yongyou_voucher"))["result"][
        "link"
    ]

    with Nginx(tmp_path / "nginx", platform.environment["GM_SERVICE_BIND"]) as nginx:
        platform.own_environment["gm_service"] = {"GM_S3_PUBLIC_ENDPOINT": nginx.url, "GM_TRUSTED_PROXIES": "1"}
        restart_service(platform)
        answer = StationClient(nginx.url, platform.first.token).get(link)
        written = requests.put(answer.url, data=b"x", timeout=10)

    platform.own_environment.clear()
    restart_service(platform)
    assert [each.status_code for each in answer.history] == [302]
    assert (answer.status_code, answer.url.startswith(f"{nginx.url}/gm-files/tests/export/")) == (200, True)
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert (written.status_code, "Signature" in nginx.log_text()) == (404, False)


def restart_service(platform: Cluster) -> None:
    platform.processes["gm_service"].stop()
    platform.start("gm_service")
    platform.wait_ready()


def test_no_log_shows_the_stores_secret(platform: Cluster, server: S3Server) -> None:
    secrets = [server.environment["GM_S3_SECRET_KEY"], server.environment["GM_S3_ACCESS_KEY"], "Signature="]

    assert [secret for secret in secrets if secret in platform.logs()] == []
    assert "request_failed" not in platform.logs()
