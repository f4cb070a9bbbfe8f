"""The HTTP edge of gm_async_task: keys, envelopes, and what bad input gets."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.database import make_engine
from shared.web import strict_json
from tests.support.async_task import AUTH_KEY, make_database, make_service

ADD = {"station_id": "S001", "task_name": "demo.work", "input": "{}"}
KEY = {"X-Auth-Key": AUTH_KEY}


@pytest.fixture
def http(tmp_path: Path) -> Iterator[FlaskClient]:
    engine = make_database(f"sqlite:///{tmp_path}/tasks.db")
    yield make_service(engine, max_body_bytes=10_000, max_batch_body_bytes=100_000).test_client()
    engine.dispose()


def _post(http: FlaskClient, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else strict_json.dumps(body)
    response = http.post(path, data=data, headers={**KEY, **headers})
    return response.status_code, response.get_json()


def test_success_is_an_envelope(http: FlaskClient) -> None:
    status, answer = _post(http, "/task/add", {**ADD, "user_task_id": "mine"})

    assert (status, answer) == (
        200,
        {"code": 0, "msg": "ok", "data": {"task_id": 1, "user_task_id": "mine", "queue": None}},
    )


@pytest.mark.parametrize("key", [None, "", AUTH_KEY[:-1], AUTH_KEY + "0", "ключ", AUTH_KEY.upper()])
def test_every_wrong_key_gets_the_same_answer(http: FlaskClient, key: str | None) -> None:
    headers = {} if key is None else {"X-Auth-Key": key.encode().decode("latin-1")}

    answers = {rule.rule: http.post(rule.rule, headers=headers) for rule in http.application.url_map.iter_rules()}

    for path, response in answers.items():
        if path in ("/healthz", "/readyz", "/metrics"):
            continue
        said = response.get_json()
        assert (response.status_code, said.get("code", said.get("stat"))) in (
            (401, 40100),
            (401, "ERR_UNAUTHORIZED"),
        ), path


def test_both_keys_open_while_keys_are_changed(tmp_path: Path) -> None:
    app = make_service(make_database(f"sqlite:///{tmp_path}/t.db"), auth_key_previous="old" * 12)

    answers = [
        app.test_client().post("/task/add", json=ADD, headers={"X-Auth-Key": key}) for key in (AUTH_KEY, "old" * 12)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_health_needs_no_key(http: FlaskClient) -> None:
    assert [http.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "station_id"),
        ({**ADD, "station_id": "S" * 17}, "station_id"),
        ({**ADD, "station_id": 1}, "station_id"),
        ({**ADD, "station_id": ""}, "station_id"),
        ({**ADD, "task_name": "a." + "b" * 63}, "task_name"),
        ({**ADD, "task_name": "os system"}, "task_name"),
        ({**ADD, "task_name": "../x"}, "task_name"),
        ({**ADD, "user_task_id": "x" * 65}, "user_task_id"),
        ({**ADD, "user_task_id": "x "}, "user_task_id"),
        ({**ADD, "input": 5}, "input"),
        ({**ADD, "type": 3}, "type"),
        ({**ADD, "type": "1abc"}, "type"),
        ({**ADD, "business_id": 2**40}, "business_id"),
        ({**ADD, "repeat": "perhaps"}, "repeat"),
        ({**ADD, "queue": "a b"}, "queue"),
        ({**ADD, "statoin": 1}, "statoin"),
    ],
)
def test_wrong_parameter_is_named(http: FlaskClient, body: dict[str, Any], field: str) -> None:
    status, answer = _post(http, "/task/add", body)

    assert (status, answer["code"], answer["data"]["field"]) == (400, 40001, field)
    assert field in answer["msg"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/task/add", {}),
        ("/task/add", {**ADD, "station_id": "S" * 17}),
        ("/task/add", {**ADD, "station_id": ""}),
        ("/task/add", {**ADD, "station_id": 1}),
        ("/task/add", {**ADD, "task_name": "os system"}),
        ("/task/add", {**ADD, "user_task_id": "x "}),
        ("/task/add", {**ADD, "input": "a\x00b"}),
        ("/task/add", {**ADD, "type": 3}),
        ("/task/add", {**ADD, "type": "1abc"}),
        ("/task/add", {**ADD, "type_id": 1, "business_id": 2}),
        ("/task/add", {**ADD, "repeat": "perhaps"}),
        ("/task/add", {**ADD, "queue": "a b"}),
        ("/task/add", {**ADD, "statoin": 1}),
        ("/task/start", {}),
        ("/task/finish", {"task_id": 1, "status": 9}),
        ("/task/hide", {"task_ids": []}),
        ("/task/hide", {}),
        ("/task/hide", {"task_ids": {"a": 1}}),
        ("/task/list", {"station_id": "S001", "status": 7}),
        ("/task/list", {"station_id": "S001", "limit": 0}),
        ("/task/update", {"task_id": 1, "field": "id", "value": 1}),
        ("/task/update", {"task_id": 1, "field": "progress", "value": 101}),
        ("/task/update", {"task_id": 1, "field": "status", "value": 8}),
        ("/task/update", {"task_id": 1, "field": "reason", "value": 8}),
        ("/task/update", {"task_id": 1, "field": "message_show", "value": 8}),
        ("/task/update", {"task_id": 1, "field": "progress", "value": 1, "postion": "$.a"}),
        *(
            ("/task/update", {"task_id": 1, "field": "result", "value": 1, "postion": path})
            for path in ("a", "$.a.b", "$[3]", "$[0].a", "$[*]", "$" + ".a" * 17, "$." + "a" * 2000)
        ),
        ("/task/start", b"["),
        ("/task/start", b"[]"),
        ("/task/start", b'{"task_id": NaN}'),
        ("/task/start", b'{"a": 1, "a": 1}'),
        ("/task/start", b'{"a": 99999999999999999999}'),
        ("/task/start", b'{"a": 1e999}'),
        ("/task/start", b'{"a": "\xff"}'),
        ("/task/start", b'{"a": "\\ud800"}'),
        ("/task/start", b'{"a":' + b"[" * 70 + b"]" * 70 + b"}"),
    ],
)
def test_refusals_in_chinese_are_all_chinese(http: FlaskClient, path: str, body: Any) -> None:
    _post(http, "/task/add", ADD)
    _post(http, "/task/start", {"task_id": 1})

    status, answer = _post(http, path, body, **{"Accept-Language": "zh"})

    assert status == 400
    assert not re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", answer["msg"]), answer["msg"]


@pytest.mark.parametrize("task_id", ["1abc", "01", "1e0", [1], 10**30, -1, 0, 1.5, True, "", " 1", "١"])
def test_what_is_no_id_is_refused(http: FlaskClient, task_id: Any) -> None:
    _post(http, "/task/add", ADD)
    body = b'{"task_id": 1000000000000000000000000000000}' if task_id == 10**30 else {"task_id": task_id}

    status, _ = _post(http, "/task/start", body)

    assert status == 400
    assert http.get("/task/get?task_id=1", headers=KEY).get_json()["data"]["status"] == 1


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b"nul",
        b'{"task_id": NaN}',
        b'{"task_id": Infinity}',
        b'{"value": 1e999}',
        b'{"value": 9223372036854775808}',
        b'{"a": 1, "a": 2}',
        b'{"value": "\\ud800"}',
        b'{"value": "\\u0000"}',
        b'{"value": "\xff"}',
        '{"task_id": 1}'.encode("utf-16"),
        b'{"value": ' + b"[" * 40 + b"]" * 40 + b"}" + b" " * 10 + b"x",
        b'{"value":' + b"[" * 4500 + b"]" * 4500 + b"}",
        b'{"value":' + b"[" * 70 + b"]" * 70 + b"}",
    ],
)
def test_hostile_json_is_malformed(http: FlaskClient, body: bytes) -> None:
    status, answer = _post(http, "/task/update", body)

    assert (status, answer["code"]) == (400, 40000)


def test_deeply_nested_batch_is_malformed(http: FlaskClient) -> None:
    status, _ = _post(http, "/task/add", b'{"input":' + b"[" * 49_000 + b"]" * 49_000 + b"}")

    assert status == 400


def test_body_over_its_limit_is_too_large(http: FlaskClient) -> None:
    small = _post(http, "/task/start", {"task_id": 1, "owner": "x" * 20_000})
    batch = _post(http, "/task/add", {**ADD, "input": "x" * 200_000})

    assert [(status, answer["code"]) for status, answer in (small, batch)] == [(413, 41300)] * 2


def test_chunked_body_over_its_limit_is_too_large(http: FlaskClient) -> None:
    body = strict_json.dumps({"task_id": 1, "owner": "x" * 20_000}).encode()
    environ = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}

    response = http.post("/task/start", headers=KEY, environ_overrides={**environ, "CONTENT_LENGTH": ""})

    assert (response.status_code, response.headers["Connection"]) == (413, "close")


def test_multipart_fields_are_read_and_files_refused(http: FlaskClient) -> None:
    fields = http.post(
        "/task/add", data={**ADD, "input": "x" * 60_000}, headers=KEY, content_type="multipart/form-data"
    )
    file = {**ADD, "upload": (io.BytesIO(b"x"), "x.txt")}
    refused = http.post("/task/add", data=file, headers=KEY, content_type="multipart/form-data")

    assert fields.status_code == 200
    assert (refused.status_code, refused.get_json()["data"]["field"]) == (400, "upload")


@pytest.mark.parametrize("status", [True, 3.0, "03", 0, 6])
def test_what_is_no_status_is_refused(http: FlaskClient, status: Any) -> None:
    assert _post(http, "/task/list", {"station_id": "S001", "status": status})[0] == 400
    assert _post(http, "/task/finish", {"task_id": 1, "status": status})[0] == 400


def test_ten_thousand_rows_fit(database_url: str) -> None:
    engine = make_database(database_url)
    http = make_service(engine).test_client()
    rows = [{"order_no": f"A{number}", "name": "订单" * 40} for number in range(10_000)]

    status, answer = _post(http, "/task/add", {**ADD, "input": rows})

    assert (status, answer["code"]) == (200, 0)
    assert strict_json.loads(http.get("/task/get?task_id=1", headers=KEY).get_json()["data"]["input"]) == rows
    engine.dispose()


def test_parameter_given_twice_is_refused(http: FlaskClient) -> None:
    response = http.get("/task/get?task_id=1&task_id=2", headers=KEY)

    assert response.status_code == 400


def test_get_and_list_take_get_and_post(http: FlaskClient) -> None:
    _post(http, "/task/add", ADD)

    by_get = [http.get(f"/task/get?{query}", headers=KEY).get_json() for query in ("task_id=1",)]
    by_post = [_post(http, "/task/get", {"task_id": 1})[1]]
    lists = [
        http.get("/task/list?station_id=S001", headers=KEY).get_json(),
        _post(http, "/task/list", {"station_id": "S001"})[1],
    ]

    assert by_get == by_post
    assert lists[0] == lists[1]


def test_form_body_is_read(http: FlaskClient) -> None:
    response = http.post("/task/add", data=ADD, headers=KEY)

    assert response.get_json()["code"] == 0


def test_negative_limit_is_refused(http: FlaskClient) -> None:
    response = http.get("/task/list?station_id=S001&limit=-1", headers=KEY)

    assert response.status_code == 400


def test_unknown_address_and_method_are_envelopes(http: FlaskClient) -> None:
    answers = [http.get("/nothing", headers=KEY), http.get("/task/add", headers=KEY)]

    assert [(answer.status_code, answer.get_json()["code"]) for answer in answers] == [(404, 40400), (405, 40500)]


def test_times_carry_their_offset(tmp_path: Path) -> None:
    app = make_service(make_database(f"sqlite:///{tmp_path}/t.db"), timezone="Asia/Shanghai")
    _post(app.test_client(), "/task/add", ADD)

    task = app.test_client().get("/task/get?task_id=1", headers=KEY).get_json()["data"]

    assert task["create_time"].endswith("+08:00")


def test_sentences_come_in_the_readers_language(http: FlaskClient) -> None:
    _, answer = _post(http, "/task/start", {"task_id": 9}, **{"Accept-Language": "zh-CN,zh;q=0.9"})

    assert answer["msg"] == "没有这个任务。"


def test_request_id_is_taken_and_given_back(http: FlaskClient) -> None:
    kept = http.get("/healthz", headers={"X-Request-Id": "abc-123"}).headers["X-Request-Id"]
    replaced = http.get("/healthz", headers={"X-Request-Id": "a b;c"}).headers["X-Request-Id"]

    assert kept == "abc-123"
    assert len(replaced) == 32


def test_database_away_is_unavailable(tmp_path: Path) -> None:
    app = make_service(make_database(f"sqlite:///{tmp_path}/t.db"))
    away = make_service(make_engine(f"sqlite:///{tmp_path}/no/such/folder/t.db"))

    response = away.test_client().post("/task/add", json=ADD, headers=KEY)

    assert app.test_client().get("/readyz").status_code == 200
    assert (response.status_code, response.get_json()["code"]) == (503, 50300)
    assert int(response.headers["Retry-After"]) >= 1


def test_no_answer_holds_a_secret(http: FlaskClient) -> None:
    password = "planted-" + "9" * 20
    away = make_service(make_engine(f"mysql+pymysql://gm:{password}@127.0.0.1:1/none")).test_client()
    bodies = [b"{", b"[]", strict_json.dumps({"X-Auth-Key": 1}).encode(), strict_json.dumps(ADD).encode()]

    answers = [
        client.post(rule.rule, data=body, headers=KEY).data
        for client in (http, away)
        for rule in http.application.url_map.iter_rules()
        for body in bodies
    ]

    assert [text for text in answers if AUTH_KEY.encode() in text or password.encode() in text] == []
