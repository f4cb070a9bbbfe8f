"""S-a for gm_async_task: every route, right and wrong inputs, on every database."""

from __future__ import annotations

import pytest

from tests.support.async_task import AUTH_KEY, make_database, make_service
from tests.support.fuzz import fuzz

INPUTS = 60


@pytest.mark.timeout(240)
def test_no_input_breaks_a_route(database_url: str) -> None:
    engine = make_database(database_url)
    app = make_service(engine)

    fuzzed = fuzz(app, {"X-Auth-Key": AUTH_KEY}, INPUTS)

    assert fuzzed == sum(len(rule.methods & {"GET", "POST"}) for rule in app.url_map.iter_rules() if _documented(rule))
    engine.dispose()


def _documented(rule: object) -> bool:
    return str(rule) != "/openapi.json" and not str(rule).startswith("/static")
