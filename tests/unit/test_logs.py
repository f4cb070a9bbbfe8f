"""S-h: planted secrets never reach a log line, whatever event they hide in."""

from __future__ import annotations

import io
import json
import logging
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.logs import configure_logs

KEY = "service-key-" + secrets.token_hex(16)
PLANTED = [secrets.token_urlsafe(24) for _ in range(200)]
NAMES = ["auth_key", "password", "Authorization", "X-Auth-Key", "session_cookie", "api_token", "client_secret"]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged during the test."""
    configure_logs("test", "INFO", [KEY, *PLANTED[:50]])
    output = io.StringIO()
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(output)
    yield output
    logging.getLogger().handlers[:] = []
    structlog.reset_defaults()


def _last(output: io.StringIO) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(output.getvalue().splitlines()[-1])
    return line


def test_two_hundred_planted_secrets_are_masked(written: io.StringIO) -> None:
    log = structlog.get_logger("test")

    for number, secret in enumerate(PLANTED):
        if number < 50:  # known values, anywhere in a text
            log.warning("driver_failed", problem=f"cannot connect with {secret} to the host", nested={"a": [secret]})
        else:  # unknown values, under a name that says what they are
            log.info("request_answered", **{NAMES[number % len(NAMES)]: secret})

    assert [secret for secret in PLANTED if secret in written.getvalue()] == []


def test_secrets_in_exceptions_and_addresses_are_masked(written: io.StringIO) -> None:
    try:
        raise RuntimeError(f"mysql+pymysql://gm:{PLANTED[60]}@db/gm refused {KEY}")
    except RuntimeError:
        structlog.get_logger("test").exception("database_failed")
        logging.getLogger("library").exception("old style amqp://gm:%s@broker//", PLANTED[61])

    assert [secret for secret in (KEY, PLANTED[60], PLANTED[61]) if secret in written.getvalue()] == []


def test_hostile_text_stays_one_line(written: io.StringIO) -> None:
    structlog.get_logger("test").info("request_answered", path='/a\r\n{"event": "forged"}\x1b[31m')

    assert len(written.getvalue().splitlines()) == 1
    assert "\x1b" not in written.getvalue()


def test_long_fields_are_cut(written: io.StringIO) -> None:
    structlog.get_logger("test").info("request_answered", body="x" * 1_000_000)

    assert len(written.getvalue()) < 6000


def test_half_a_surrogate_pair_does_not_break_logging(written: io.StringIO) -> None:
    structlog.get_logger("test").info("request_answered", body="a\ud800b")

    assert "a" in _last(written)["body"]


def test_bound_ids_are_on_every_line(written: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1", task_id=7):
        logging.getLogger("library").warning("something")

    line = _last(written)
    assert (line["request_id"], line["task_id"], line["service"]) == ("r1", 7, "test")
