"""nginx lets the larger bodies through for exactly the routes that take them; a new route has to be told there too."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integration.service.test_isolation import INTERNAL, routes
from tests.support.service import Service

SITE = Path(__file__).resolve().parents[3] / "nginx" / "templates" / "gm_site.conf.template"
LARGER_THAN_ORDINARY = {"padding": "x" * 3_000_000}


def _locations(containing: str) -> list[tuple[str, str]]:
    """Return (modifier, path) of the locations that have such a line."""
    blocks = re.findall(
        r"^    location (?:(=|\^~) )?(\S+) \{\n(.*?)^    \}", SITE.read_text(), re.DOTALL | re.MULTILINE
    )
    return [(modifier, path) for modifier, path, body in blocks if containing in body]


def _is_in(path: str, locations: list[tuple[str, str]]) -> bool:
    return any(path == each if modifier == "=" else path.startswith(each) for modifier, each in locations)


def test_batch_limit_of_nginx_covers_the_routes_that_take_batches_and_no_others(service: Service) -> None:
    locations = _locations("client_max_body_size ${GM_MAX_BATCH_BODY_BYTES};")
    program = service.program()
    paths = [route.removeprefix("POST ") for route in routes(service) if route[:5] == "POST " and route not in INTERNAL]

    taken = {path: program.post(path, **LARGER_THAN_ORDINARY).status_code != 413 for path in paths}

    assert taken == {path: _is_in(path, locations) for path in paths}
    assert {True, False} == set(taken.values())


def test_only_what_makes_or_reads_thousands_of_rows_is_waited_for_long() -> None:
    assert _locations("proxy_read_timeout") == [
        ("", "/station/order/batch/"),
        ("=", "/station/catalogue"),
        ("=", "/station/sales_analysis/orderdetail"),
    ]
