"""The small HTTP server of processes that serve nothing else, on a real socket."""

from __future__ import annotations

import socket

import pytest
import urllib3

from shared.health import Health
from shared.metrics.exposition import Exposition
from shared.metrics.meters import Meters
from shared.metrics.server import Endpoint
from shared.metrics.table import KEEPER
from tests.support.async_task import make_settings
from tests.support.waiting import wait_for


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_endpoint_answers_on_either_kind_of_address(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        port = probe.getsockname()[1]
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    endpoint = Endpoint(bind, make_settings(), Health, Exposition(Meters(KEEPER), "1"))
    pool = urllib3.PoolManager(retries=False, timeout=2)

    endpoint.start()
    try:
        wait_for(
            lambda: pool.request("GET", f"http://{bind}/healthz").status == 200,
            10,
            "an answer",
            not_yet=urllib3.exceptions.HTTPError,
        )
        metrics = pool.request("GET", f"http://{bind}/metrics")
    finally:
        endpoint.stop()
        pool.clear()

    assert (metrics.status, b"gm_build_info" in metrics.data) == (200, True)
