"""Who may read metrics, as a table."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import Headers

from shared.metrics.access import may_read_metrics
from tests.support.async_task import AUTH_KEY, make_settings

KEY = "metrics-" + "k" * 32
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("key", "peer", "headers", "expected"),
    [
        (None, "127.0.0.1", {}, True),
        (None, "127.9.9.9", {}, True),
        (None, "::1", {}, True),
        (None, "::ffff:127.0.0.1", {}, True),
        (None, "::ffff:10.0.0.1", {}, False),
        (None, "10.0.0.1", {}, False),
        (None, "", {}, False),
        (None, "localhost", {}, False),
        (None, "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, False),
        (None, "127.0.0.1", {"x-forwarded-for": ""}, False),
        (None, "127.0.0.1", {"Forwarded": "for=127.0.0.1"}, False),
        (None, "127.0.0.1", {"X-Real-IP": "127.0.0.1"}, False),
        (None, "127.0.0.1", {"Via": "1.1 proxy"}, False),
        (None, "10.0.0.1", {"X-Auth-Key": AUTH_KEY}, True),
        (None, "10.0.0.1", {"X-Auth-Key": AUTH_KEY[:-1]}, False),
        (None, "10.0.0.1", {"Authorization": "Bearer "}, False),
        (None, "10.0.0.1", {"X-Auth-Key": ""}, False),
        ("", "127.0.0.1", {}, True),
        ("", "10.0.0.1", {"Authorization": "Bearer "}, False),
        (KEY, "127.0.0.1", {}, False),
        (KEY, "10.0.0.1", BEARER, True),
        (KEY, "10.0.0.1", {"authorization": f"bearer  {KEY}"}, True),
        (KEY, "10.0.0.1", {**BEARER, "X-Forwarded-For": "1.2.3.4"}, True),
        (KEY, "127.0.0.1", {"Authorization": f"Basic {KEY}"}, False),
        (KEY, "127.0.0.1", {"Authorization": f"Bearer {KEY}0"}, False),
        (KEY, "127.0.0.1", {"Authorization": "Bearer ключ"}, False),
        (KEY, "127.0.0.1", {"X-Auth-Key": AUTH_KEY}, True),
        (KEY, "127.0.0.1", {"X-Auth-Key": KEY}, False),
    ],
)
def test_who_may_read(key: str | None, peer: str, headers: dict[str, str], expected: bool) -> None:
    settings = make_settings(metrics_key=key)

    assert may_read_metrics(settings, peer, Headers(headers)) is expected


def test_short_metrics_key_is_refused_in_production() -> None:
    with pytest.raises(ValueError, match="at least 32 characters"):
        make_settings(metrics_key="short")


def test_metrics_key_is_a_secret() -> None:
    assert KEY in make_settings(metrics_key=KEY).secrets()
