"""Signed calls at the edge of a service: what opens it, how often, for how long, and what a refusal costs."""

from __future__ import annotations

import io
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy import func, select
from sqlalchemy.engine import Connection, Engine
from structlog.testing import capture_logs

from gm_async_task.db import nonces
from shared.database import in_read, in_write, make_engine
from shared.errors import TooLarge, Unauthorized, Unavailable
from shared.signing.guard import CallGuard
from shared.signing.nonces import FORGET_AT_ONCE, FORGET_EVERY_SECONDS, NonceStore
from shared.signing.signature import WINDOW_SECONDS
from tests.support.async_task import AUTH_KEY, make_database, make_service, make_settings
from tests.support.service import Service
from tests.support.signed_calls import Request, get, post

OLD_KEY = "old-key-" + "2" * 32
NOW = 1_767_225_600.0
ADD: dict[str, Any] = {"station_id": "S001", "task_name": "demo.work", "input": "{}"}
UNREADABLE = make_engine("mysql+pymysql://root@127.0.0.1:1/nothing")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return make_database(f"sqlite:///{tmp_path}/tasks.db")


class AnyNonce:
    """Knows no nonce; counts those it is asked for."""

    def __init__(self) -> None:
        self.spent = 0

    def spend(self, nonce: str, timestamp: int) -> bool:
        """See `Nonces.spend`."""
        self.spent += 1
        return True


class Unread(io.RawIOBase):
    """A body that nobody may read."""

    def readable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def readinto(self, _buffer: Any) -> int:
        """Fail the test."""
        raise AssertionError("the body was read")


@pytest.mark.parametrize("mode", ["off", "send", "require"])
@pytest.mark.parametrize(
    "call",
    [
        post("/task/add", **ADD),
        post("/task/add?user_task_id=%E8%AE%A2%E5%8D%95+1", **ADD),
        post("/task/add", **{**ADD, "input": "x" * 3_000_000}),
        get("/task/list?station_id=S%30%301&limit=3"),
        Request("GET", "/task/list?station_id=S001", "", b""),
        Request("POST", "/task/list", "application/x-www-form-urlencoded", b"station_id=S001"),
        Request(
            "POST",
            "/task/list",
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="station_id"\r\n\r\nS001\r\n--b--\r\n',
        ),
    ],
    ids=["add", "query", "3 MB", "get", "no content type", "form", "multipart"],
)
def test_a_right_signature_opens(engine: Engine, call: Request, mode: str) -> None:
    answer = call.signed().send(make_service(engine, signed_calls=mode))

    assert (answer.status_code, answer.get_data()[:9]) == (200, b'{"code":0')


@pytest.mark.parametrize(("mode", "status"), [("off", 200), ("send", 200), ("require", 401)])
def test_the_bare_key_opens_until_signatures_are_required(engine: Engine, mode: str, status: int) -> None:
    answer = post("/task/add", **ADD).with_header(AUTH_KEY).send(make_service(engine, signed_calls=mode))

    assert answer.status_code == status


def test_both_keys_sign_while_keys_are_changed_and_the_old_one_no_longer_after(engine: Engine) -> None:
    changing = make_service(engine, signed_calls="require", auth_key_previous=OLD_KEY)
    changed = make_service(engine, signed_calls="require")

    answers = [
        post("/task/add", **ADD).signed(key).send(app).status_code
        for app in (changing, changed)
        for key in (AUTH_KEY, OLD_KEY)
    ]

    assert answers == [200, 200, 200, 401]


@pytest.mark.parametrize("off", [-WINDOW_SECONDS, -1, 0, 1, WINDOW_SECONDS])
def test_a_signature_is_taken_within_the_window(off: int) -> None:
    assert _guarded(get("/task/get").signed(at=NOW + off)) == 1


@pytest.mark.parametrize("off", [-WINDOW_SECONDS - 1, WINDOW_SECONDS + 1])
def test_a_signature_is_refused_outside_the_window_and_the_log_says_by_how_much(off: int) -> None:
    with capture_logs() as logs, pytest.raises(Unauthorized):
        _guarded(get("/task/get").signed(at=NOW + off))

    assert logs == [
        {
            "event": "call_refused",
            "log_level": "warning",
            "why": "clocks differ or the call is old",
            "behind_seconds": -off,
        }
    ]


def _guarded(call: Request, **environ: Any) -> int:
    """Return how many nonces a guard of its own spent on a call that it let pass."""
    known = AnyNonce()
    guard = CallGuard(make_settings(signed_calls="require", max_batch_body_bytes=2000), known, clock=lambda: NOW)
    app = Flask(__name__)
    app.testing = True  # what the guard raises comes out

    @app.before_request
    def _check() -> str:
        guard.check()
        assert request.get_data() == call.body
        return "passed"

    call.send(app, **environ)
    return known.spent


def test_a_body_over_the_limit_is_refused_as_too_large(engine: Engine) -> None:
    big = Request("POST", "/task/add", "application/json", b"x" * 2001).signed(at=NOW)
    unmeasured = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}

    for environ in ({}, unmeasured):
        with pytest.raises(TooLarge):
            _guarded(big, **environ)


@pytest.mark.parametrize("wrong", ["other key", "too old", "spent nonce", "no signature"])
def test_nobody_has_a_body_read_who_is_refused(engine: Engine, wrong: str) -> None:
    app = make_service(engine, signed_calls="require")
    call = post("/task/add", **{**ADD, "input": "x" * 1000})
    refused = {
        "other key": call.signed("wrong" * 8),
        "too old": call.signed(at=time.time() - 1000),
        "spent nonce": call.signed(),
        "no signature": call,
    }[wrong]
    if wrong == "spent nonce":
        assert refused.send(app).status_code == 200

    answer = refused.send(app, **{"wsgi.input": io.BufferedReader(Unread())})

    assert answer.status_code == 401


@pytest.mark.parametrize(("key", "status"), [(AUTH_KEY, 503), ("wrong" * 8, 401)])
def test_while_the_database_is_away_right_ones_wait_and_wrong_ones_are_refused(key: str, status: int) -> None:
    app = make_service(UNREADABLE, signed_calls="require")

    answer = post("/task/add", **ADD).signed(key).send(app)

    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, "2" if status == 503 else None)


def test_one_nonce_opens_one_of_many_instances_once(database_url: str) -> None:
    make_database(database_url).dispose()
    instances = [make_service(make_engine(database_url), signed_calls="require") for _ in range(4)]
    rounds = [post("/task/add", **ADD).signed() for _ in range(15)]

    with ThreadPoolExecutor(8) as callers:
        statuses = [
            sorted(callers.map(lambda app, call=call: call.send(app).status_code, instances * 2)) for call in rounds
        ]

    assert statuses == [[200, *[401] * 7]] * len(rounds)


def test_the_order_service_takes_signatures_on_its_internal_endpoints(tmp_path: Path) -> None:
    service = Service(tmp_path, signed_calls="require")
    call = post("/no_login/station/order/batch/outcome", task_id=1).signed(service.settings.accepted_keys()[0])
    bare = call.with_header(service.settings.accepted_keys()[0])

    statuses = [each.send(service.app).status_code for each in (call, call, bare)]

    assert statuses == [400, 401, 401], "the first one's parameters are judged"


def test_old_nonces_are_forgotten_in_passing_and_live_ones_kept(database_url: str) -> None:
    engine, moments = make_database(database_url), [NOW]
    store = NonceStore(engine, nonces, clock=lambda: moments[0])
    assert store.spend("live" * 4, int(NOW))  # asks for old ones and finds none
    old = [{"nonce": secrets.token_hex(8), "keep_until": int(NOW) - 1} for _ in range(FORGET_AT_ONCE + 500)]
    in_write(engine, lambda connection: connection.execute(nonces.insert(), old))

    moments[0] += FORGET_EVERY_SECONDS
    assert [store.spend(f"{number:016}", int(NOW)) for number in range(2)] == [True, True]

    count = in_read(engine, lambda connection: connection.execute(select(func.count()).select_from(nonces)).scalar())
    assert (count, store.spend("live" * 4, int(NOW))) == (3, False)
    engine.dispose()


def test_a_call_passes_though_old_nonces_can_not_be_forgotten_now(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(engine: Engine, work: Callable[[Connection], Any]) -> Any:
        if "forget" in work.__name__:
            raise Unavailable(what="database")
        return in_write(engine, work)

    monkeypatch.setattr("shared.signing.nonces.in_write", write)

    assert NonceStore(engine, nonces).spend("n" * 16, int(NOW))


def test_a_nonce_does_not_make_other_writes_less_durable(engine: Engine) -> None:
    assert NonceStore(engine, nonces).spend("n" * 16, int(NOW))

    mode = in_write(engine, lambda connection: connection.exec_driver_sql("PRAGMA synchronous").scalar())

    assert mode == 2, "FULL: a commit waits for the disk"


def test_refusals_log_why_and_neither_key_nor_signature(engine: Engine) -> None:
    app = make_service(engine, signed_calls="require")
    call = post("/task/add", **ADD).signed()

    with capture_logs() as logs:
        call.send(app)
        call.send(app)
        call.with_header(call.header + "0").send(app)
        call.with_header(AUTH_KEY).send(app)

    refused = [entry["why"] for entry in logs if entry["event"] == "call_refused"]
    assert refused == ["nonce was used before", "header is not in the one form", "no accepted key"]
    assert AUTH_KEY not in str(logs)
    assert call.header[-64:] not in str(logs)
