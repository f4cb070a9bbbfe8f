"""Signing in, sessions and their CSRF token, tokens of programs, and how often a password may be tried."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from gm_service.stations.models import sign_in_attempt, station_session
from gm_service.stations.service import ATTEMPT_WINDOW_SECONDS, MAX_ADDRESS_ATTEMPTS, MAX_USER_ATTEMPTS
from shared.database import in_read, in_write
from tests.support.service import PASSWORD, Service, sign_in


def test_person_signs_in_and_out(service: Service) -> None:
    person = service.person()

    inside = person.get("/session").json
    ended = person.client.delete("/session", headers=person.headers)
    outside = person.get("/session")

    assert inside is not None
    assert inside["data"] == {
        "station_id": "S001",
        "station_name": "Bristol depot",
        "username": "clerk",
        "time_zone": "UTC",
        "csrf_token": person.headers["X-CSRF-Token"],
    }
    assert (ended.status_code, outside.status_code) == (200, 401)


def test_sign_out_works_by_post_too(service: Service) -> None:
    person = service.person()

    assert person.post("/session/end").status_code == 200
    assert person.get("/task/list").status_code == 401


def test_signing_out_ends_every_copy_of_the_session(service: Service) -> None:
    person, elsewhere = service.person(), service.app.test_client()
    copied = person.client.get_cookie("gm_session")
    assert copied is not None
    elsewhere.set_cookie("gm_session", copied.value)
    before = elsewhere.get("/task/list").status_code

    person.post("/session/end")

    assert (before, elsewhere.get("/task/list").status_code) == (200, 401)


def test_signing_out_leaves_other_browsers_of_the_person_alone(service: Service) -> None:
    here, there = service.person(), service.person()

    here.post("/session/end")

    assert there.get("/task/list").status_code == 200


def test_station_is_told_to_the_proxy_while_signed_in_and_permits_nothing(service: Service) -> None:
    person, stranger = service.person(), service.app.test_client()
    hint = person.client.get_cookie("gm_station")
    stranger.set_cookie("gm_station", "S001")

    refused = stranger.get("/task/list").status_code
    person.post("/session/end")

    assert hint is not None and (hint.value, hint.http_only, hint.same_site) == ("S001", True, "Lax")
    assert refused == 401
    assert person.client.get_cookie("gm_station") is None


def test_session_ends_by_itself(service: Service) -> None:
    person = service.person()

    service.clock.offset_seconds = service.settings.session_seconds + 1

    assert person.get("/task/list").status_code == 401


def test_sessions_that_ended_by_themselves_are_not_kept(service: Service) -> None:
    service.person()
    service.clock.offset_seconds = service.settings.session_seconds + 1
    service.person()

    kept = in_read(service.engine, lambda c: c.scalar(select(func.count()).select_from(station_session)))

    assert kept == 1


EXPORT = "/station/sales_analysis/orderdetail"
A_DAY = {"query_type": "1", "start_date": "2010-12-01", "end_date": "2010-12-01"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": "wrong"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({}, 200),
    ],
)
def test_link_of_another_site_starts_no_export(service: Service, headers: dict[str, str], status: int) -> None:
    person = service.person()

    answer = person.client.get(EXPORT, query_string=A_DAY, headers=headers)

    assert answer.status_code == status


def test_export_from_anywhere_passes_with_the_csrf_token_or_a_programs_own(service: Service) -> None:
    person, program = service.person(), service.program()
    elsewhere = {"Sec-Fetch-Site": "cross-site"}

    answers = [
        caller.client.get(EXPORT, query_string=A_DAY, headers={**caller.headers, **elsewhere})
        for caller in (person, program)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_session_cookie_is_out_of_reach_of_scripts_and_other_sites(service: Service) -> None:
    service.stations.add_user("S001", "clerk", PASSWORD)

    cookie = sign_in(service.app.test_client()).headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_session_cookie_is_secure_where_configured(tmp_path: Path) -> None:
    service = Service(tmp_path, cookie_secure=True)
    service.stations.add_user("S001", "clerk", PASSWORD)

    assert "Secure" in sign_in(service.app.test_client()).headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("station_id", "username", "password"),
    [
        ("S001", "clerk", "wrong"),
        ("S001", "nobody", PASSWORD),
        ("S002", "clerk", PASSWORD),
        ("s001", "clerk", PASSWORD),
    ],
)
def test_wrong_sign_in_never_tells_what_is_wrong(
    service: Service, station_id: str, username: str, password: str
) -> None:
    service.stations.add_user("S001", "clerk", PASSWORD)

    answer = sign_in(service.app.test_client(), station_id, username, password)

    assert (answer.status_code, answer.json and answer.json["code"]) == (401, 40101)
    assert "Set-Cookie" not in answer.headers


def test_signing_in_again_starts_a_new_session(service: Service) -> None:
    person = service.person()

    answer = sign_in(person.client)

    assert answer.json is not None
    assert answer.json["data"]["csrf_token"] != person.headers["X-CSRF-Token"]
    assert person.post("/task/clear_show", task_ids=[1]).status_code == 403


def test_new_password_ends_sessions(service: Service) -> None:
    person = service.person()

    service.stations.add_user("S001", "clerk", "another password")

    assert person.get("/task/list").status_code == 401


@pytest.mark.parametrize("headers", [{}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": "é"}])
def test_change_from_a_session_needs_its_csrf_token(service: Service, headers: dict[str, str]) -> None:
    person = service.person()
    task = service.add_task()

    answer = person.client.post("/async_task/close", json={"task_id": task.task_id}, headers=headers)

    assert (answer.status_code, answer.json and answer.json["code"]) == (403, 40301)
    assert service.tasks.get(task.task_id).status == 1


def test_change_by_a_token_needs_no_csrf_token(service: Service) -> None:
    task = service.add_task()

    assert service.program().post("/async_task/close", task_id=task.task_id).status_code == 200


@pytest.mark.parametrize(
    "credential", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic UzAwMTpjbGVyaw==", "bearer é", "Bearer \x7f"]
)
def test_wrong_token_is_refused(service: Service, credential: str) -> None:
    answer = service.app.test_client().get("/task/list", headers={"Authorization": credential})

    assert (answer.status_code, answer.json and answer.json["code"]) == (401, 40100)


def test_wrong_token_is_refused_beside_a_good_session(service: Service) -> None:
    person = service.person()

    assert person.client.get("/task/list", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_new_token_replaces_the_one_of_that_name(service: Service) -> None:
    old = service.program()
    new = service.program()

    assert (old.get("/task/list").status_code, new.get("/task/list").status_code) == (401, 200)


def test_forged_session_is_nobody(service: Service) -> None:
    client = service.app.test_client()
    client.set_cookie("gm_session", "eyJ1c2VyX2lkIjoxfQ.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb")

    assert client.get("/task/list").status_code == 401


def test_too_many_failures_block_even_the_right_password(service: Service) -> None:
    service.stations.add_user("S001", "clerk", PASSWORD)
    client = service.app.test_client()
    for _ in range(MAX_USER_ATTEMPTS):
        assert sign_in(client, password="wrong").status_code == 401

    blocked = sign_in(client)

    assert (blocked.status_code, blocked.json and blocked.json["code"]) == (429, 42900)
    assert int(blocked.headers["Retry-After"]) > 0


def test_block_ends_with_its_window(service: Service) -> None:
    service.stations.add_user("S001", "clerk", PASSWORD)
    client = service.app.test_client()
    for _ in range(MAX_USER_ATTEMPTS):
        sign_in(client, password="wrong")

    service.clock.offset_seconds = ATTEMPT_WINDOW_SECONDS + 1

    assert sign_in(client).status_code == 200


def test_block_says_what_is_left_of_its_window(service: Service) -> None:
    service.stations.add_user("S001", "clerk", PASSWORD)
    client = service.app.test_client()
    for _ in range(MAX_USER_ATTEMPTS):
        sign_in(client, password="wrong")

    service.clock.offset_seconds = ATTEMPT_WINDOW_SECONDS - 60

    left = int(sign_in(client).headers["Retry-After"])
    assert 30 <= left <= 60
    service.clock.offset_seconds += left
    assert sign_in(client).status_code == 200


def hold_attempts(service: Service, address: str, count: int) -> None:
    """Have an address fail so often, without the time that so many passwords take to check."""
    subject = hashlib.sha256(f"address\n{address}".encode()).hexdigest()
    rows = [{"subject": subject}] * count
    moment = service.clock.now()
    in_write(service.engine, lambda c: c.execute(insert(sign_in_attempt).values(attempted_at=moment), rows))


def test_colleagues_wrong_passwords_lock_nobody_else_of_the_office_out(service: Service) -> None:
    service.stations.add_user("S001", "clerk", PASSWORD)
    client = service.app.test_client()
    for number in range(MAX_USER_ATTEMPTS):
        sign_in(client, username=f"user{number}")

    assert sign_in(client).status_code == 200


def test_address_that_tries_many_users_is_blocked_and_others_are_not(service: Service) -> None:
    service.stations.add_user("S001", "clerk", PASSWORD)
    client = service.app.test_client()
    hold_attempts(service, "127.0.0.1", MAX_ADDRESS_ATTEMPTS - 1)
    sign_in(client, username="nobody")

    elsewhere = client.post(
        "/session",
        json={"station_id": "S001", "username": "clerk", "password": PASSWORD},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )

    assert sign_in(client).status_code == 429
    assert elsewhere.status_code == 200


def test_good_sign_ins_are_never_too_many(service: Service) -> None:
    service.stations.add_user("S001", "clerk", PASSWORD)

    statuses = {sign_in(service.app.test_client()).status_code for _ in range(MAX_USER_ATTEMPTS + 2)}

    assert statuses == {200}


def test_forwarded_address_counts_only_behind_our_own_proxy(tmp_path: Path) -> None:
    service = Service(tmp_path)
    hold_attempts(service, "127.0.0.1", MAX_ADDRESS_ATTEMPTS - 1)
    service.app.test_client().post(
        "/session",
        json={"station_id": "S001", "username": "nobody", "password": "x"},
        headers={"X-Forwarded-For": "192.0.2.7"},
    )

    assert sign_in(service.app.test_client()).status_code == 429


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_form_of_another_site_cannot_sign_a_person_in(service: Service, content_type: str) -> None:
    service.stations.add_user("S001", "clerk", PASSWORD)
    body = f'{{"station_id": "S001", "username": "clerk", "password": "{PASSWORD}"}}'

    answer = service.app.test_client().post("/session", data=body, content_type=content_type)

    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


def test_password_in_the_address_is_refused(service: Service) -> None:
    service.stations.add_user("S001", "clerk", PASSWORD)

    answer = service.app.test_client().post(f"/session?station_id=S001&username=clerk&password={PASSWORD}", json={})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"station_id": ""},
        {"station_id": "S" * 17},
        {"station_id": 1},
        {"station_id": None},
        {"username": ""},
        {"username": "x" * 65},
        {"username": "clerk "},
        {"username": "a\x00"},
        {"password": ""},
        {"password": "x" * 257},
        {"password": ["x"]},
        {"extra": 1},
    ],
)
def test_malformed_sign_in_names_the_field(service: Service, change: dict[str, object]) -> None:
    body = {"station_id": "S001", "username": "clerk", "password": PASSWORD, **change}

    answer = service.app.test_client().post("/session", json=body)

    assert answer.status_code == 400
    assert answer.json is not None and answer.json["msg"]


def test_page_of_one_station_is_nobody_once_another_one_is_signed_in(service: Service) -> None:
    person = service.person("S002")

    answers = [person.client.get("/session", headers={"X-Station-Id": station}) for station in ("S002", "S001")]

    assert [answer.status_code for answer in answers] == [200, 401]
