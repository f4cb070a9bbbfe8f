"""make stack and make stack-stop: servers of the checkout's own, everything through nginx, ended to the last one."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import amqp
import pymysql
import pytest
import redis
import requests

from shared.ops.env_file import read_env
from shared.ops.host import Host
from shared.ops.layout import HostError
from shared.ops.stack import make_stack
from tests.conftest import MARIADB, NGINX, RABBITMQ, REDIS
from tests.support.checkout import copy_checkout, find_processes
from tests.support.cluster import StationClient
from tests.support.import_jobs import ended_import, order_rows, submit_import
from tests.support.waiting import wait_for

BROKERS = {"rabbitmq": RABBITMQ, "redis": REDIS}
SERVERS = {"rabbitmq": {"mariadbd", "beam.smp", "epmd", "nginx"}, "redis": {"mariadbd", "redis-server", "nginx"}}
DECEMBER = {"query_type": "1", "start_date": "2010-12-01", "end_date": "2010-12-23"}

pytestmark = pytest.mark.timeout(300)


@dataclass
class Stack:
    """What make stack started."""

    broker: str
    checkout: Path

    @property
    def host(self) -> Host:
        """What make stack and make stack-stop call."""
        return Host(self.checkout, make_stack(self.broker))

    @property
    def folder(self) -> Path:
        """All that it keeps."""
        return self.checkout / ".stack"

    @property
    def env(self) -> dict[str, str]:
        """What it leaves for scripts."""
        return read_env(self.folder / "env")

    @property
    def station(self) -> StationClient:
        """A program of the first station, outside of nginx."""
        return StationClient(self.env["GM_SERVICE_URL"], self.env["GM_STATION_TOKEN"])

    def pids(self) -> list[int]:
        """Return the ids of its processes."""
        return find_processes(self.folder)


@pytest.fixture(scope="module", params=BROKERS)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack on each broker; the last test of each stops it."""
    for server in (MARIADB, NGINX, BROKERS[request.param]):
        server.need()
    running = Stack(request.param, copy_checkout(tmp_path_factory.mktemp(request.param)))
    try:
        running.host.start()
        yield running
    finally:
        running.host.stop()


def test_people_sign_in_export_and_import_through_nginx(stack: Stack) -> None:
    env, station = stack.env, stack.station
    person = {"station_id": env["GM_STATION_ID"], "username": "clerk", "password": env["GM_DEMO_PASSWORD"]}

    signed_in = requests.post(station.url + "/session", json=person, timeout=10)
    export = station.data("/station/sales_analysis/orderdetail", **DECEMBER)
    task_id = int(export["task_url"].rpartition("=")[2])
    link = ended_import(station, task_id)["result"]["link"]
    file = station.get(link)
    imported = ended_import(station, submit_import(station, "one", order_rows(20, "stack-")))

    assert signed_in.json()["code"] == 0
    assert link.startswith("/station/download/async/")
    assert (file.status_code, file.content[:2], file.headers["Server"]) == (200, b"PK", "nginx")
    assert (imported["status"], imported["result"]["created"], imported["result"]["failed"]) == (4, 18, 2)


@pytest.mark.parametrize("path", ["/task/add", "/task/start", "/no_login/station/order/batch/create", "/readyz"])
def test_task_service_and_internal_endpoints_are_not_outside(stack: Stack, path: str) -> None:
    headers = {"X-Auth-Key": stack.env["GM_AUTH_KEY"]}

    answers = [
        requests.request(verb, stack.station.url + path, headers=headers, timeout=10) for verb in ("GET", "POST")
    ]

    assert {answer.status_code for answer in answers} <= {401, 404, 405}


def test_servers_let_nobody_in_who_is_not_told_how(stack: Stack) -> None:
    env = stack.env
    mariadb = {"host": "127.0.0.1", "port": int(env["GM_MARIADB_PORT"])}
    password = env["GM_STACK_PASSWORD_GM_SERVICE"]

    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        pymysql.connect(**mariadb, user="root")
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        pymysql.connect(**mariadb, user="gm_service", password=password, database="gm_async_task")
    if stack.broker == "redis":
        with redis.Redis(port=int(env["GM_REDIS_PORT"])) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
    else:
        with pytest.raises(amqp.AMQPError):
            amqp.Connection(f"127.0.0.1:{env['GM_RABBITMQ_PORT']}", "guest", "guest").connect()


def test_passwords_stand_in_no_list_of_processes(stack: Stack) -> None:
    secrets = [value for name, value in stack.env.items() if any(word in name for word in ("PASSWORD", "KEY", "TOKEN"))]
    commands = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in stack.pids())

    assert len(secrets) >= 8
    assert [secret for secret in secrets if secret.encode() in commands] == []


def test_again_it_starts_nothing_and_another_broker_is_refused(stack: Stack) -> None:
    before = {pid for pid in stack.pids() if _name(pid) in SERVERS[stack.broker]}
    other = "redis" if stack.broker == "rabbitmq" else "rabbitmq"

    stack.host.start()
    with pytest.raises(HostError, match=f"it runs with {stack.broker}: `make stack-stop` first"):
        Host(stack.checkout, make_stack(other)).start()

    assert before <= set(stack.pids())


def test_stop_ends_every_process_and_nobody_else(stack: Stack) -> None:
    """Last: on Redis its supervisor was killed before, as nobody tells the servers then."""
    before = stack.env
    names = {_name(pid) for pid in stack.pids()}
    bystander = subprocess.Popen(["sleep", "300"], env={**os.environ, **before})
    if stack.broker == "redis":
        supervisor = int((stack.folder / "supervisord.pid").read_text())
        os.kill(supervisor, signal.SIGKILL)
        wait_for(lambda: supervisor not in stack.pids(), 10, "the end of the supervisor")

    ended = stack.host.stop()
    left, survived = stack.pids(), bystander.poll() is None
    bystander.kill()
    bystander.wait()

    assert names >= SERVERS[stack.broker]
    assert (left, survived) == ([], True)
    assert ended >= len(SERVERS[stack.broker])
    assert stack.env == before, "ports, passwords and tokens are kept"


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
