"""The platform behind a real nginx: downloads that gm_service allows and nginx sends, and what stays inside."""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from shared.errors import error_table
from tests.support.cluster import PROGRAMS, ROOT, Cluster, StationClient
from tests.support.import_jobs import ended_import
from tests.support.nginx import Nginx
from tests.support.processes import Proc, free_port
from tests.support.traversals import list_traversals
from tests.support.waiting import wait_for

EXPORT = "/station/sales_analysis/orderdetail"
OF_THE_DAY = {"query_type": 1, "start_date": "2010-12-01", "end_date": "2010-12-01"}
FEW = {**OF_THE_DAY, "search_text": "17850"}
PROTECTING = {
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
    "Content-Security-Policy",
    "X-Request-Id",
}
SECRET = b"of nobody's business"

pytestmark = pytest.mark.timeout(180)


@dataclass
class Behind:
    """A platform, the nginx before it, and a gm_service beside it that sends files itself."""

    platform: Cluster
    nginx: Nginx
    direct: StationClient

    @property
    def first(self) -> StationClient:
        """The first station, by way of nginx."""
        return StationClient(self.nginx.url, self.platform.first.token)

    @property
    def second(self) -> StationClient:
        """Another station, by way of nginx."""
        return StationClient(self.nginx.url, self.platform.second.token)

    def file_of(self, task: dict[str, Any]) -> Path:
        """Return where the worker put what an export task made."""
        return self.platform.folder / "files" / self.platform.tasks.get(task["task_id"]).result["file"]


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory, nginx_program: str) -> Iterator[Behind]:
    """One platform with the demo orders, and nginx before it."""
    folder = tmp_path_factory.mktemp("platform")
    with Cluster(folder, demo_orders=True, GM_ACCEL_LOCATION="/files/", GM_TRUSTED_PROXIES="1") as platform:
        stable = platform.environment["GM_SERVICE_BIND"]
        direct, direct_url = _start_direct(platform)
        try:
            with Nginx(folder / "nginx", stable, files_dir=folder / "files") as nginx:
                yield Behind(platform, nginx, StationClient(direct_url, platform.first.token))
        finally:
            direct.kill()


def _start_direct(platform: Cluster) -> tuple[Proc, str]:
    bind = f"127.0.0.1:{free_port()}"
    env = {**platform.environment, "GM_SERVICE_BIND": bind, "GM_ACCEL_LOCATION": ""}
    proc = Proc("direct", [sys.executable, *PROGRAMS["gm_service"]], platform.folder, env, cwd=ROOT)
    url = f"http://{bind}"
    wait_for(lambda: requests.get(url + "/healthz").ok, 30, "gm_service", not_yet=requests.RequestException)
    return proc, url


@pytest.fixture(scope="module")
def made(behind: Behind) -> dict[str, Any]:
    """A finished export task, asked for by way of nginx by somebody who reads Chinese."""
    answer = behind.first.get(EXPORT, **OF_THE_DAY, format="house_csv", headers={"Accept-Language": "zh"}).json()
    assert answer["data"]["async"] == 1, answer
    return ended_import(behind.first, answer["data"]["task_id"])


def _counted(answer: requests.Response) -> dict[str, int]:
    """Return how often each protecting header is there."""
    return {name: len(answer.raw.headers.getlist(name)) for name in PROTECTING}


def _link(task: dict[str, Any]) -> str:
    return f"/station/download/async/{task['task_id']}"


def test_file_of_a_task_is_sent_by_nginx_and_equals_what_the_service_sends(
    behind: Behind, made: dict[str, Any]
) -> None:
    ours, direct = behind.first.get(_link(made)), behind.direct.get(_link(made))

    assert made["result"]["link"] == _link(made)
    assert (ours.status_code, len(ours.content)) == (200, made["result"]["bytes"])
    assert ours.content == direct.content == behind.file_of(made).read_bytes()
    same = ("Content-Type", "Content-Disposition", "Cache-Control", "Content-Length")
    assert {name: ours.headers[name] for name in same} == {name: direct.headers[name] for name in same}
    assert "X-Accel-Redirect" not in ours.headers and ours.headers["Accept-Ranges"] == "bytes"


def test_sync_export_comes_through_and_equals_what_the_service_sends(behind: Behind) -> None:
    data = behind.first.data(EXPORT, **FEW)

    ours, direct = behind.first.get(data["link"]), behind.direct.get(data["link"])

    assert data["async"] == 0
    assert (ours.status_code, ours.content[:2]) == (200, b"PK")
    assert ours.content == direct.content


def test_file_name_arrives_in_chinese(behind: Behind, made: dict[str, Any]) -> None:
    disposition = behind.first.get(_link(made)).headers["Content-Disposition"]

    name = re.search(r"filename\*=UTF-8''(\S+)", disposition)
    assert name is not None and unquote(name[1]) == made["result"]["file_name"]
    assert not made["result"]["file_name"].isascii()


def test_download_goes_on_where_it_broke_off(behind: Behind, made: dict[str, Any]) -> None:
    whole = behind.first.get(_link(made))
    half = len(whole.content) // 2

    def part(byte_range: str, **headers: str) -> requests.Response:
        return behind.first.get(_link(made), headers={"Range": f"bytes={byte_range}", **headers})

    rest = part(f"{half}-", **{"If-Range": whole.headers["ETag"]})
    changed = part(f"{half}-", **{"If-Range": '"another"'})
    last, beyond = part("-5"), part(f"{len(whole.content)}-")

    assert (rest.status_code, whole.content[:half] + rest.content) == (206, whole.content)
    assert rest.headers["Content-Range"] == f"bytes {half}-{len(whole.content) - 1}/{len(whole.content)}"
    assert (changed.status_code, changed.content) == (200, whole.content)
    assert last.content == whole.content[-5:]
    assert (beyond.status_code, beyond.json()["code"]) == (416, 41600)
    assert _counted(beyond) == dict.fromkeys(PROTECTING, 1)
    assert beyond.headers["Content-Range"] == f"bytes */{len(whole.content)}"


def test_file_that_is_known_is_not_sent_again(behind: Behind, made: dict[str, Any]) -> None:
    etag = behind.first.get(_link(made)).headers["ETag"]

    again = behind.first.get(_link(made), headers={"If-None-Match": etag})

    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["{link}", "/static/app.css", "/sign-in", "/task/list"])
def test_every_answer_is_protected_once(behind: Behind, made: dict[str, Any], path: str) -> None:
    answer = behind.first.get(path.format(link=_link(made)))

    assert answer.status_code == 200
    assert _counted(answer) == dict.fromkeys(PROTECTING, 1)


def test_another_stations_file_is_not_there(behind: Behind, made: dict[str, Any]) -> None:
    foreign, absent = behind.second.get(_link(made)), behind.second.get("/station/download/async/999999")
    stranger = requests.get(behind.nginx.url + _link(made), timeout=10)

    assert (foreign.status_code, foreign.json()) == (404, absent.json())
    assert stranger.status_code == 401
    lines = behind.file_of(made).read_text("utf-8-sig").splitlines()
    assert not any(line in answer.text for line in lines for answer in (foreign, stranger))


def test_file_is_not_reached_but_by_asking_the_service(behind: Behind, made: dict[str, Any]) -> None:
    file = behind.file_of(made).relative_to(behind.platform.folder / "files")

    answers = [behind.first.get(f"{folder}/{file}") for folder in ("/files", "/files/", "/files/.", "//files")]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert {answer.json()["code"] for answer in answers} == {40400}


def test_file_that_is_gone_when_nginx_opens_it_is_told_as_the_service_tells_it(behind: Behind) -> None:
    link = behind.first.data(EXPORT, **FEW)["link"]
    file = behind.platform.folder / "files" / "sync" / f"{link.rpartition('/')[2]}.xlsx"
    # gm_service finds it, and nginx follows no link: as if it were removed between the two.
    file.symlink_to(file.rename(file.with_suffix(".moved")))

    program, person = (behind.first.get(link, headers={"Accept": kind}) for kind in ("*/*", "text/html"))

    error = error_table()[40402]()
    assert (program.status_code, person.status_code) == (404, 404)
    assert program.json() == {"code": 40402, "msg": error.sentence("en"), "data": None}
    assert error.sentence("en") in person.text
    assert program.headers["Content-Type"] == "application/json"
    assert person.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Content-Disposition" not in person.headers, "nobody saves the page as if it were the file"
    assert program.headers["Cache-Control"] == "private, no-store"
    assert _counted(program) == dict.fromkeys(PROTECTING, 1)


@pytest.mark.parametrize("form", ["/station/download/sync/", "/station/download/async/", "/files", "/files/"])
def test_no_way_leads_out_of_the_folder(behind: Behind, form: str) -> None:
    """S-e."""
    (behind.platform.folder / "secret.txt").write_bytes(SECRET)
    (behind.platform.folder / "files" / "secret.txt").write_bytes(SECRET)
    strings = list_traversals(b"secret.txt")
    absolute = str(behind.platform.folder / "secret.txt").encode()
    strings += [b"/etc/passwd", b"%2fetc%2fpasswd", b"file:///etc/passwd", absolute, absolute.replace(b"/", b"%2f")]

    token = f"Bearer {behind.first.token}"
    answers = [behind.nginx.raw_get(form.encode() + each, Authorization=token) for each in strings]

    assert len(set(strings)) == 65
    assert not [each for each in answers if SECRET in each or b"root:" in each]
    assert {each[9:12] for each in answers} <= {b"308", b"400", b"404"}


@pytest.mark.parametrize("path", ["/task/add", "/task/start", "/task/finish", "/task/heartbeat", "/task/hide"])
def test_task_service_has_no_address_outside(behind: Behind, path: str) -> None:
    key = {"X-Auth-Key": behind.platform.secrets["GM_AUTH_KEY"]}

    answer = requests.post(behind.nginx.url + path, json={"task_id": 1, "task_ids": [1]}, headers=key, timeout=10)

    assert (answer.status_code, answer.json()["code"]) == (404, 40400)


@pytest.mark.parametrize("verb", ["create", "outcome", "open"])
def test_no_login_endpoint_has_no_address_outside(behind: Behind, verb: str) -> None:
    key = {"X-Auth-Key": behind.platform.secrets["GM_AUTH_KEY"]}
    path = f"/no_login/station/order/batch/{verb}"

    inside = requests.post(behind.platform.first.url + path, json={}, headers=key, timeout=10)
    outside = requests.post(behind.nginx.url + path, json={}, headers=key, timeout=10)

    assert (inside.json()["code"], outside.status_code, outside.json()["code"]) == (40001, 404, 40400)


def test_forged_address_is_not_believed(behind: Behind) -> None:
    body = {"station_id": "S001", "username": "forger", "password": "wrong"}
    headers = {
        "X-Forwarded-For": "203.0.113.9, 203.0.113.10",
        "X-Real-IP": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
    }

    answer = requests.post(behind.nginx.url + "/session", json=body, headers=headers, timeout=10)

    lines = [json.loads(line) for line in behind.platform.logs().splitlines() if "sign_in_failed" in line]
    assert (answer.status_code, {line["address"] for line in lines}) == (401, {"127.0.0.1"})


def test_person_signs_in_and_downloads_and_the_station_routes_from_then_on(
    behind: Behind, made: dict[str, Any]
) -> None:
    browser = requests.Session()
    body = {"station_id": "S001", "username": "clerk", "password": behind.platform.secrets["GM_DEMO_PASSWORD"]}

    signed_in = browser.post(behind.nginx.url + "/session", json=body, timeout=10).json()["data"]
    hint = browser.cookies.get("gm_station")
    file = browser.get(behind.nginx.url + _link(made), timeout=10)
    ended = browser.delete(behind.nginx.url + "/session", headers={"X-CSRF-Token": signed_in["csrf_token"]}, timeout=10)

    assert (hint, file.content) == ("S001", behind.file_of(made).read_bytes())
    assert ended.status_code == 200 and "gm_station" not in browser.cookies


def test_batch_larger_than_an_ordinary_body_gets_through(behind: Behind) -> None:
    body = {"padding": "x" * 3_000_000}

    ordinary = behind.first.post("/task/clear_show", body)
    batch = behind.first.post("/station/order/batch/submit", body)

    assert (ordinary.status_code, ordinary.json()["code"]) == (413, 41300)
    assert (batch.status_code, batch.json()["code"]) == (400, 40001), "refused by the service, which has read it"


def test_static_file_is_kept_for_a_while_and_asked_for_anew_by_browsers(behind: Behind) -> None:
    url = behind.nginx.url + "/static/js/api.js"
    first = requests.get(url, headers={"X-Request-Id": "static-1"}, timeout=10)
    again = requests.get(url, headers={"X-Request-Id": "static-2", "If-None-Match": first.headers["ETag"]}, timeout=10)

    assert (first.status_code, again.status_code, again.headers["X-Request-Id"]) == (200, 304, "static-2")
    assert first.headers["Cache-Control"] == again.headers["Cache-Control"] == "no-cache"
    asked = behind.nginx.logged(lambda line: line["request_id"] == "static-2")["upstream"]
    assert asked == "", "nginx answered by itself"


@pytest.mark.parametrize(
    ("path", "compressed"), [("/static/js/api.js", True), ("/openapi.json", True), ("{link}", False)]
)
def test_text_is_compressed_and_downloads_are_not(
    behind: Behind, made: dict[str, Any], path: str, compressed: bool
) -> None:
    answer = behind.first.get(path.format(link=_link(made)), headers={"Accept-Encoding": "gzip"})

    assert len(answer.content) > 1024
    assert (answer.headers.get("Content-Encoding") == "gzip") is compressed


def test_request_id_travels_from_nginx_to_the_services(behind: Behind, made: dict[str, Any]) -> None:
    request_id = behind.first.get("/task/get", task_id=made["task_id"]).headers["X-Request-Id"]

    lines = [json.loads(line) for line in behind.platform.logs().splitlines() if request_id in line]
    assert {line["service"] for line in lines} >= {"gm_service", "gm_async_task"}
    assert behind.nginx.logged(lambda line: line["request_id"] == request_id)["path"] == "/task/get"


def test_no_log_of_nginx_holds_a_secret(behind: Behind) -> None:
    behind.first.get("/task/list")

    assert [name for name, secret in behind.platform.secrets.items() if secret in behind.nginx.log_text()] == []


def test_reload_lets_a_running_download_end(behind: Behind, made: dict[str, Any]) -> None:
    file = behind.file_of(made)
    whole = file.read_bytes()
    size = 64 * 1024 * 1024
    with file.open("r+b") as grown:
        grown.truncate(size)
    try:
        with _open_slow_download(behind, _link(made)) as download:
            got = len(download.recv(1000))
            old = behind.nginx.workers()

            behind.nginx.reload()
            still_there = set(old) & set(behind.nginx.workers())
            meanwhile = behind.first.get("/task/list").status_code
            while piece := download.recv(1 << 20):
                got += len(piece)
    finally:
        file.write_bytes(whole)

    assert still_there, "the download was not over before the reload"
    assert (meanwhile, got > size) == (200, True)


def _open_slow_download(behind: Behind, path: str) -> socket.socket:
    download = socket.socket()
    download.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    download.settimeout(30)
    download.connect(("127.0.0.1", behind.nginx.port))
    lines = (
        f"GET {path} HTTP/1.1\r\nHost: gm\r\nConnection: close\r\nAuthorization: Bearer {behind.first.token}\r\n\r\n"
    )
    download.sendall(lines.encode())
    return download
