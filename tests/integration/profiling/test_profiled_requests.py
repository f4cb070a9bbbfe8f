"""Requests are profiled for holders of the operator's key, and every n-th; others notice nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask

from shared.profiling.store import ProfileStore
from tests.support.async_task import AUTH_KEY, make_database, make_service
from tests.support.service import Service

KEY = "operator-" + "k" * 32
GET = "/task/get?task_id=1"


def make_app(tmp_path: Path, **changes: Any) -> Flask:
    engine = make_database(f"sqlite:///{tmp_path}/tasks.db")
    return make_service(engine, profile_dir=tmp_path / "profiles", profile_key=KEY, **changes)


def ask(app: Flask, path: str = GET, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get(path, buffered=True, headers={"X-Auth-Key": AUTH_KEY, **named})


def records(tmp_path: Path) -> list[dict[str, Any]]:
    return ProfileStore(tmp_path / "profiles").list_records()


@pytest.mark.parametrize("way", ["ledger", "sample", "cprofile", "memory"])
def test_the_operator_profiles_a_request_and_is_told_the_record(tmp_path: Path, way: str) -> None:
    app = make_app(tmp_path)

    answer = ask(app, X_Profile=way, X_Profile_Key=KEY, X_Request_Id="r-77")

    [record] = records(tmp_path)
    assert answer.headers["X-Profile-Id"] == record["id"]
    assert (record["name"], record["way"], record["request_id"]) == ("GET /task/get", way, "r-77")
    assert answer.headers["X-Request-Id"] == "r-77"
    [statement] = [entry for entry in record["ledger"] if "FROM tbl_async_task" in entry["shape"]]
    assert statement["line"].startswith("gm_async_task/tasks/")
    table = ProfileStore(tmp_path / "profiles").table_of(record)
    if way != "sample":  # which may have looked elsewhere
        assert any("dispatch_request" in place[2] for place in table) == (way == "cprofile")


def test_a_query_parameter_asks_too_and_is_gone_before_the_route_reads(tmp_path: Path) -> None:
    app = make_app(tmp_path)

    answer = ask(app, "/task/get?x_profile=ledger&task_id=1", X_Profile_Key=KEY)

    assert answer.json["msg"] == ask(app).json["msg"]
    assert [record["way"] for record in records(tmp_path)] == ["ledger"]


def test_where_header_and_parameter_ask_the_header_wins(tmp_path: Path) -> None:
    app = make_app(tmp_path)

    answer = ask(app, "/task/get?x_profile=cprofile&task_id=1", X_Profile="ledger", X_Profile_Key=KEY)

    assert answer.json == ask(app).json
    assert [record["way"] for record in records(tmp_path)] == ["ledger"]


@pytest.mark.parametrize("asked", ["1", "true", "CProfile"])
def test_who_just_asks_gets_every_call_counted(tmp_path: Path, asked: str) -> None:
    app = make_app(tmp_path)

    ask(app, X_Profile=asked, X_Profile_Key=KEY)
    ask(app, f"/task/get?task_id=1&x_profile={asked}", X_Profile_Key=KEY)

    assert [record["way"] for record in records(tmp_path)] == ["cprofile"] * 2


def test_an_unknown_way_is_told_apart_from_a_wrong_key(tmp_path: Path) -> None:
    app = make_app(tmp_path)

    with structlog.testing.capture_logs() as logs:
        answer = ask(app, X_Profile="fast", X_Profile_Key=KEY)
        ask(app, X_Profile="fast", X_Profile_Key="wrong")

    assert answer.json == ask(app).json
    assert [line["event"] for line in logs if line["event"].startswith("profile")] == [
        "profile_way_unknown",
        "profile_refused",
    ]
    assert records(tmp_path) == []


@pytest.mark.parametrize("key", ["", "operator-" + "x" * 32, AUTH_KEY, KEY[:-1]])
def test_without_the_operators_key_a_request_is_answered_as_ever(tmp_path: Path, key: str) -> None:
    app = make_app(tmp_path)

    answer = ask(app, X_Profile="cprofile", X_Profile_Key=key)

    assert answer.json == ask(app).json
    assert "X-Profile-Id" not in answer.headers
    assert records(tmp_path) == []


def test_nobody_is_let_in_where_no_key_is_set(tmp_path: Path) -> None:
    engine = make_database(f"sqlite:///{tmp_path}/tasks.db")
    app = make_service(engine, profile_dir=tmp_path / "profiles")

    ask(app, X_Profile="cprofile", X_Profile_Key="")

    assert records(tmp_path) == []


def test_every_nth_call_of_an_endpoint_is_profiled(tmp_path: Path) -> None:
    app = make_app(tmp_path, profile_every={"GET /task/*": 4}, profile_way="ledger")

    for _ in range(9):
        ask(app)
    ask(app, "/healthz")

    assert [record["name"] for record in records(tmp_path)] == ["GET /task/get"] * 2


def test_a_path_that_would_command_a_terminal_is_kept_harmless(tmp_path: Path) -> None:
    app = make_app(tmp_path, profile_every={"GET *": 1}, profile_way="ledger")

    ask(app, "/no%1b[2J/such%0apath")

    assert [record["name"] for record in records(tmp_path)] == ["GET /no?[2J/such?path"]


def test_an_answer_that_breaks_off_is_kept_as_failed(tmp_path: Path) -> None:
    app = make_app(tmp_path)

    @app.get("/breaks")
    def breaks() -> Any:
        def parts() -> Iterator[str]:
            yield "first"
            raise LookupError("second")

        return parts()

    with pytest.raises(LookupError):
        ask(app, "/breaks", X_Profile="ledger", X_Profile_Key=KEY)

    assert [record["failed"] for record in records(tmp_path)] == [True]


def test_two_requests_at_once_each_leave_a_record_of_their_own(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    together = threading.Barrier(2, timeout=10)

    @app.get("/meet/<word>")
    def meet(word: str) -> str:
        together.wait()
        named = {"a": str.upper, "b": str.title}[word]
        for _ in range(100):
            named(word)
        together.wait()
        return word

    threads = [
        threading.Thread(
            target=ask, args=(app, f"/meet/{word}"), kwargs={"X_Profile": "cprofile", "X_Profile_Key": KEY}
        )
        for word in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    store = ProfileStore(tmp_path / "profiles")
    seen = {record["name"]: store.table_of(record) for record in records(tmp_path)}
    counts = {
        name: {place[2]: row[1] for place, row in table.items() if place[2].startswith("<method '")}
        for name, table in seen.items()
    }
    assert counts["GET /meet/a"]["<method 'upper' of 'str' objects>"] >= 100
    assert "<method 'title' of 'str' objects>" not in counts["GET /meet/a"]
    assert counts["GET /meet/b"]["<method 'title' of 'str' objects>"] >= 100


def test_the_key_is_among_what_is_never_logged(tmp_path: Path) -> None:
    service = Service(tmp_path, profile_key=KEY)

    assert KEY in service.settings.secrets()
