"""The small HTTP server of processes that serve nothing else, on a real socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import urllib3

from shared.health import Health
from shared.metrics.binding import parse_bind
from shared.metrics.exposition import Exposition
from shared.metrics.meters import Meters
from shared.metrics.server import Endpoint
from shared.metrics.table import KEEPER
from tests.support.async_task import make_settings
from tests.support.processes import free_port
from tests.support.waiting import wait_for


@contextmanager
def serving(bind: str, address: str) -> Iterator[urllib3.PoolManager]:
    """Serve at `bind` and wait until it answers at `address`; yield what asks it."""
    endpoint = Endpoint(bind, make_settings(), Health, Exposition(Meters(KEEPER), "1"))
    pool = urllib3.PoolManager(retries=False, timeout=2)
    endpoint.start()
    try:
        wait_for(
            lambda: pool.request("GET", f"http://{address}/healthz").status == 200,
            10,
            f"an answer at {address}",
            not_yet=urllib3.exceptions.HTTPError,
        )
        yield pool
    finally:
        endpoint.stop()
        pool.clear()


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

    with serving(bind, bind) as pool:
        metrics = pool.request("GET", f"http://{bind}/metrics")

    assert (metrics.status, b"gm_build_info" in metrics.data) == (200, True)


def test_workers_side_by_side_take_one_port_after_the_other() -> None:
    with socket.socket() as taken:
        first = take_the_first_of_two_free_ports(taken)

        with serving(f"127.0.0.1:{first}-{first + 1}", f"127.0.0.1:{first + 1}") as pool:
            assert pool.request("GET", f"http://127.0.0.1:{first + 1}/healthz").status == 200


def take_the_first_of_two_free_ports(listener: socket.socket) -> int:
    first = next(port for port in iter(free_port, None) if is_free(port + 1))
    listener.bind(("127.0.0.1", first))
    listener.listen()
    return first


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize(
    "bind", ["nonsense", "127.0.0.1", "127.0.0.1:70000", "h:8013-8012", "h:1-5000", "h:8012-", "h:x"]
)
def test_address_of_another_form_is_refused(bind: str) -> None:
    with pytest.raises(ValueError, match="is not host:port or host:first-last"):
        parse_bind(bind)


def test_address_may_name_one_port_several_or_none() -> None:
    assert [parse_bind(bind) for bind in ("", "[::1]:80", "h:8012-8013")] == [
        [],
        [("::1", 80)],
        [("h", 8012), ("h", 8013)],
    ]
