"""What nginx makes of requests before and after gm_service sees them: routing, headers, refusals, the log."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from shared.errors import error_table
from tests.support import echo_service
from tests.support.nginx import Nginx
from tests.support.processes import Proc, free_port
from tests.support.waiting import wait_for

MIB = 1024 * 1024
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SECRET = b"of nobody's business"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, nginx_program: str) -> Iterator[Nginx]:
    """nginx before two stand-ins of gm_service, which tell what arrives."""
    folder = tmp_path_factory.mktemp("front")
    services: list[Proc] = []
    addresses = []
    for name in ("stable", "grey"):
        service, address = echo_service.start(folder, name)
        services.append(service)
        addresses.append(address)
    (folder / "nginx" / "gm.d").mkdir(parents=True)
    (folder / "nginx" / "gm.d" / "grey_stations.map").write_text('"S007" gm_grey;\n')
    try:
        for address in addresses:
            wait_for(
                lambda a=address: requests.get(f"http://{a}/").ok, 20, "gunicorn", not_yet=requests.RequestException
            )
        with Nginx(folder / "nginx", *addresses, files_dir=folder / "files") as nginx:
            yield nginx
    finally:
        for service in services:
            service.kill()


@pytest.fixture(scope="module", autouse=True)
def stalled(front: Nginx) -> Iterator[socket.socket]:
    """A request whose body stops after one byte, begun before all tests so that the last need not wait for long."""
    with socket.create_connection(("127.0.0.1", front.port), timeout=25) as connection:
        connection.sendall(b"POST /task/clear_show HTTP/1.1\r\nHost: gm\r\nContent-Length: 100\r\n\r\n{")
        yield connection


def _arrived(front: Nginx, path: str = "/task/list", **headers: str) -> dict[str, Any]:
    answer = requests.get(front.url + path, headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize(
    ("headers", "release"),
    [
        ({}, "stable"),
        ({"X-Gm-Release": "grey"}, "grey"),
        ({"X-Gm-Release": "stable", "Cookie": "gm_release=grey; gm_station=S007"}, "stable"),
        ({"X-Gm-Release": "nonsense"}, "stable"),
        ({"Cookie": "gm_release=grey"}, "grey"),
        ({"Cookie": "gm_release=stable; gm_station=S007"}, "stable"),
        ({"Cookie": "gm_station=S007"}, "grey"),
        ({"Cookie": "gm_station=S001"}, "stable"),
        ({"X-Station-Id": "S007"}, "grey"),
        ({"X-Station-Id": "S001", "Cookie": "gm_station=S007"}, "stable"),
    ],
)
def test_release_is_chosen_by_header_then_cookie_then_station(
    front: Nginx, headers: dict[str, str], release: str
) -> None:
    assert _arrived(front, **headers)["name"] == release


def test_static_files_of_the_two_releases_are_kept_apart(front: Nginx) -> None:
    names = [_arrived(front, "/static/app.css", **{"X-Gm-Release": name})["name"] for name in ("stable", "grey") * 2]

    assert names == ["stable", "grey"] * 2


def test_changed_stations_of_the_grey_release_need_a_reload_only(front: Nginx) -> None:
    stations = front.folder / "gm.d" / "grey_stations.map"
    before = _arrived(front, **{"X-Station-Id": "S008"})["name"]

    stations.write_text('"S007" gm_grey;\n"S008" gm_grey;\n')
    front.reload()

    wait_for(lambda: _arrived(front, **{"X-Station-Id": "S008"})["name"] == "grey", 5, "the new list")
    assert before == "stable"


@pytest.mark.parametrize("name", ["x_username", "X-Username"])
def test_username_of_old_callers_arrives(front: Nginx, name: str) -> None:
    told = _arrived(front, **{name: "zhang"})

    assert told["HTTP_X_USERNAME"] == "zhang"


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-For",
        "X_Forwarded_For",
        "X-Forwarded-Proto",
        "X_Forwarded_Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
        "X-Real-IP",
        "Forwarded",
        "X-Auth-Key",
        "X_Auth_Key",
    ],
)
def test_what_only_a_proxy_or_a_service_may_say_is_not_taken_from_callers(front: Nginx, name: str) -> None:
    told = _arrived(front, **{name: "203.0.113.9"})

    assert "203.0.113.9" not in told.values()
    assert (told["HTTP_X_FORWARDED_FOR"], told["HTTP_X_FORWARDED_PROTO"]) == ("127.0.0.1", "http")


@pytest.mark.parametrize("name", ["X-Accel-Redirect", "X_Accel_Redirect", "X-Accel-Buffering", "X-Sendfile"])
def test_accel_headers_of_callers_have_no_effect(front: Nginx, name: str) -> None:
    (front.folder.parent / "files").mkdir(exist_ok=True)
    (front.folder.parent / "files" / "private.txt").write_bytes(SECRET)

    answer = requests.get(front.url + "/x", headers={name: "/files/private.txt"}, timeout=10)

    assert answer.json()["name"] == "stable" and SECRET not in answer.content


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [("trace-4711", True), ("a" * 64, True), ("a" * 65, False), ("a b", False), ('"}{', False), (None, False)],
)
def test_request_id_is_passed_on_where_it_is_safe_and_else_made(
    front: Nginx, given: str | None, passed_on: bool
) -> None:
    answer = requests.get(front.url + "/ids", headers={"X-Request-Id": given} if given else {}, timeout=10)

    request_id = answer.json()["HTTP_X_REQUEST_ID"]
    assert answer.headers["X-Request-Id"] == request_id, "one header, of nginx"
    assert (request_id == given) is passed_on and len(request_id) > 8
    line = front.logged(lambda line: line["request_id"] == request_id)
    assert (line["path"], line["status"], line["method"]) == ("/ids", 200, "GET")


def test_connections_to_the_service_are_kept(front: Nginx) -> None:
    ports = {_arrived(front)["REMOTE_PORT"] for _ in range(20)}

    assert len(ports) <= (os.cpu_count() or 1) + 1, "each worker of nginx has its own"


def _fetch(front: Nginx, path: str, language: str, **headers: str) -> requests.Response:
    return requests.get(front.url + path, headers={"Accept-Language": language, **headers}, timeout=10)


@pytest.mark.parametrize(
    "path",
    [
        "/no_login",
        "/no_login/station/order/batch/create",
        "//no_login/station/order/batch/create",
        "/static/..%2fno_login/x",
        "/no%5flogin/x",
        "/metrics",
        "/metrics/x",
        "/readyz",
        "/files/",
        "/files/private.txt",
    ],
)
def test_inner_addresses_are_not_there(front: Nginx, path: str) -> None:
    answer = front.raw_get(path.encode(), X_Auth_Key="k" * 40)

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b'{"code":40400,"msg":"There is no such address.","data":null}' in answer


@pytest.mark.parametrize(("language", "sentence"), [("en", "There is no such address."), ("zh", "没有这个地址。")])
@pytest.mark.parametrize("accept_language", ["{}", "fr, {};q=0.8", "{}-CN,{};q=0.9,xx;q=0.5"])
def test_refusal_speaks_the_readers_language(front: Nginx, language: str, sentence: str, accept_language: str) -> None:
    program = _fetch(front, "/metrics", accept_language.format(language, language))
    person = _fetch(front, "/metrics", accept_language.format(language, language), **PAGE)

    assert program.json() == {"code": 40400, "msg": sentence, "data": None}
    assert person.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f'<html lang="{language}">' in person.text and f"<h1>{sentence}</h1>" in person.text


def test_page_remembers_the_language_that_was_chosen(front: Nginx) -> None:
    assert 'lang="zh"' in _fetch(front, "/metrics", "en", Cookie="gm_lang=zh", **PAGE).text


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/task/clear_show", 2 * MIB),
        ("/session/end", 2 * MIB),
        ("/station/order/batch/submit", 8 * MIB),
        ("/station/order/batch/check", 8 * MIB),
        ("/station/catalogue", 8 * MIB),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_is_an_envelope(front: Nginx, path: str, limit: int, chunked: bool) -> None:
    def send(size: int) -> requests.Response:
        body = b"x" * size
        return requests.post(front.url + path, data=iter([body]) if chunked else body, timeout=20)

    at_limit, above = send(limit), send(limit + 1)

    assert at_limit.status_code == 200
    assert (above.status_code, above.json()["code"]) == (413, 41300)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1", 413),
        (b"GET /?" + b"x" * 9000 + b" HTTP/1.1", 413),
        (b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 9000, 400),
        (b"GET /%00 HTTP/1.1", 400),
        (b"GET /../.. HTTP/1.1", 400),
        (b"get / HTTP/1.1", 400),
        (b"TRACE / HTTP/1.1", 405),
    ],
)
def test_unreadable_request_is_an_envelope(front: Nginx, request_line: bytes, status: int) -> None:
    answer = front.raw(request_line + b"\r\nHost: gm\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b'{"code":%d' % (status * 100) in answer and b"<html" not in answer


def test_sign_in_is_slowed_down_by_address_and_asking_who_is_signed_in_is_not(front: Nginx) -> None:
    statuses = []
    while 429 not in statuses and len(statuses) < 300:
        refused = requests.post(front.url + "/session", json={}, timeout=10)
        statuses.append(refused.status_code)

    assert statuses == [200] * (len(statuses) - 1) + [429] and len(statuses) > 31, "one and 30 more at once"
    assert refused.json()["code"] == 42900 and refused.headers["Retry-After"] == "2"
    assert requests.get(front.url + "/session", timeout=10).status_code == 200


def _headers(answer: requests.Response) -> dict[str, int]:
    """Count each header."""
    return {name.lower(): len(answer.raw.headers.getlist(name)) for name in answer.headers}


def test_refusal_is_kept_by_nobody(front: Nginx) -> None:
    assert requests.get(front.url + "/metrics", timeout=10).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/metrics"])
def test_every_answer_is_protected_once(front: Nginx, path: str) -> None:
    headers = _headers(requests.get(front.url + path, timeout=10))

    names = ("x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy", "x-request-id")
    assert {name: headers[name] for name in names} == dict.fromkeys(names, 1)


def test_services_own_refusal_is_left_as_it_is(front: Nginx) -> None:
    answer = requests.get(front.url + "/", headers={"X-Test-Status": "503"}, timeout=10)

    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (503, "as told", "7")
    assert _headers(answer)["retry-after"] == 1


def test_service_away_is_an_envelope_or_a_page_that_says_when_to_come_back(tmp_path: Path, nginx_program: str) -> None:
    with Nginx(tmp_path / "nginx", f"127.0.0.1:{free_port()}") as front:
        program, person = _fetch(front, "/task/list", "en"), _fetch(front, "/", "zh", **PAGE)
        posted = requests.post(front.url + "/station/order/batch/submit", json={}, timeout=10)
        line = front.logged(lambda line: line["path"] == "/task/list")

    msg = error_table()[50300](what="service").sentence("en")
    assert (program.status_code, program.json()) == (503, {"code": 50300, "msg": msg, "data": None})
    assert (posted.status_code, posted.json()["code"], posted.headers["Retry-After"]) == (503, 50300, "2")
    assert program.headers["Retry-After"] == person.headers["Retry-After"] == "2"
    assert person.status_code == 503 and "服务暂时不可用，请在 2 秒后重试。" in person.text
    assert (line["status"], line["upstream_status"]) == (503, "502")


@pytest.mark.parametrize("name", ["订单 100%.csv", "a#b?c&d.csv", 'it\'s "x".csv', "plain.csv"])
def test_file_is_sent_whatever_its_name(front: Nginx, name: str) -> None:
    folder = front.folder.parent / "files" / "export"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(name.encode() * 100)

    accel = "/files/export/" + requests.utils.quote(name)
    answer = requests.get(front.url + "/x", headers={"X-Test-Accel": accel}, timeout=10)

    assert (answer.status_code, answer.content) == (200, name.encode() * 100)


@pytest.mark.parametrize(
    "accel",
    [
        "/files/../secret.txt",
        "/files/%2e%2e/secret.txt",
        "/files/..%2fsecret.txt",
        "/files../secret.txt",
        "/files/export/../../secret.txt",
        "/files/export/%2e%2e/%2e%2e/secret.txt",
        "/files/export/..%2f..%2fsecret.txt",
        "/files/%252e%252e/secret.txt",
        "/files//../secret.txt",
        "/files/export",
        "/files/export/",
        "/files/",
        "/files",
        "/files/link.txt",
        "/files/folder/secret.txt",
        "/files/export/missing.csv",
        "/files/export/%00",
    ],
)
def test_nginx_itself_sends_nothing_but_files_of_the_folder(front: Nginx, accel: str) -> None:
    parent = front.folder.parent
    (parent / "secret.txt").write_bytes(SECRET)
    (parent / "files" / "export").mkdir(parents=True, exist_ok=True)
    for link, target in (("link.txt", parent / "secret.txt"), ("folder", parent)):
        if not (parent / "files" / link).is_symlink():
            (parent / "files" / link).symlink_to(target)

    answer = requests.get(front.url + "/x", headers={"X-Test-Accel": accel}, timeout=10, allow_redirects=False)

    assert answer.status_code in (301, 404, 500)
    assert SECRET not in answer.content and b"missing.csv" not in answer.content and b"Index of" not in answer.content


def test_log_is_json_and_holds_no_secret(front: Nginx, tmp_path: Path, nginx_program: str) -> None:
    planted = {"Authorization": "Bearer s3cret-token", "Cookie": "gm_session=s3cret-cookie", "X-Auth-Key": "s3cret-key"}
    target = b"/logged?auth_key=s3cret-query&x=1"
    with Nginx(tmp_path / "nginx", f"127.0.0.1:{free_port()}") as dead:
        for each in (front, dead):
            requests.get(
                each.url + target.decode(), headers={**planted, "Referer": "http://x/?k=s3cret-page"}, timeout=10
            )
            requests.get(each.url + "/metrics?auth_key=s3cret-query", headers=planted, timeout=10)
            each.raw_get(b'/odd"\\\xff\xfe?auth_key=s3cret-query')
            each.raw_get(b"/\x1b[31m?auth_key=s3cret-query")
            each.raw(b"GET /logged?auth_key=s3cret-query HTTP/1.1\r\nHost: gm\r\nContent-Length: x\r\n\r\n")
            each.logged(lambda line: line["path"].startswith("/odd"))
            assert {line["path"] for line in each.log_lines()} >= {"/logged", "/metrics"}
            assert "s3cret" not in each.log_text()


def test_body_that_never_arrives_is_given_up(stalled: socket.socket) -> None:
    try:
        answer = stalled.recv(1000)
    except ConnectionResetError:
        answer = b""

    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
