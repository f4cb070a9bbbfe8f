"""Two worker hosts that share only database, broker and file store: MariaDB, RabbitMQ and S3.

The second one has a network of its own where the machine allows it; else only folders and processes are apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared.broker.queue import make_task_queue
from tests.support.cluster import QUEUE, Cluster
from tests.support.export_jobs import start_export
from tests.support.import_jobs import ended_import, order_rows, orders_of, slow_rows, submit_import
from tests.support.s3 import S3Server
from tests.support.waiting import wait_for
from tests.support.worker_hosts import Network, WorkerHost, find_missing

IMPORT = "gm_task.functions.orders.import_orders"
Hosts = tuple[WorkerHost, WorkerHost]

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    running = S3Server(tmp_path_factory.mktemp("s3"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def platform(make_platform: Callable[..., Cluster], server: S3Server) -> Cluster:
    running = make_platform("rabbitmq", **server.environment)
    running.processes["gm_task"].stop()
    return running


@pytest.fixture(scope="module")
def hosts(platform: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    with ExitStack() as ends:
        network = None
        if not find_missing():
            network = Network()
            ends.callback(network.close)
        first = WorkerHost("first", platform, tmp_path_factory.mktemp("first"))
        ends.callback(first.kill)
        second = WorkerHost("second", platform, tmp_path_factory.mktemp("second"), network)
        ends.callback(second.kill)
        yield first, second


def start_exports(platform: Cluster, days: range) -> list[int]:
    """Ask for an export of the first days of December, one for each number of days."""
    return [start_export(platform.first, start_date="2010-12-01", end_date=f"2010-12-{day:02}") for day in days]


def runner_of(hosts: Hosts, task_id: int) -> tuple[WorkerHost, WorkerHost]:
    """Return the host that runs the task, and the other one."""
    wait_for(lambda: any(host.has_run(task_id) for host in hosts), 30, f"a run of task {task_id}")
    first, second = hosts
    return (first, second) if first.has_run(task_id) else (second, first)


def test_hosts_share_no_folder_and_no_network(platform: Cluster, hosts: Hosts) -> None:
    first, second = hosts

    assert len({first.files_dir, second.files_dir, Path(platform.environment["GM_FILES_DIR"])}) == 3
    assert (first.network_id() != second.network_id()) == (second.network is not None)


def test_exports_of_both_hosts_are_downloaded_from_one_gm_service(platform: Cluster, hosts: Hosts) -> None:
    task_ids = start_exports(platform, range(14, 24))

    results = [ended_import(platform.first, task_id)["result"] for task_id in task_ids]
    files = [platform.first.get(result["link"]).content for result in results]

    assert [hashlib.sha256(file).hexdigest() for file in files] == [result["sha256"] for result in results]
    assert all(any(host.has_run(task_id) for task_id in task_ids) for host in hosts)
    assert [host.scratch() for host in hosts] == [[], []]
    assert not list(Path(platform.environment["GM_FILES_DIR"]).rglob("*.xlsx"))


def test_import_that_both_hosts_hear_of_runs_once(platform: Cluster, hosts: Hosts) -> None:
    task_id = submit_import(platform.first, "both", order_rows(300, "both-"))
    for _ in range(20):
        make_task_queue(platform.environment["GM_BROKER_URL"]).send_task(IMPORT, [task_id], QUEUE)

    ended = ended_import(platform.first, task_id)

    assert (ended["result"]["created"], platform.tasks.get(task_id).run_count) == (270, 1)
    assert [host.has_run(task_id) for host in hosts].count(True) == 1
    assert orders_of(platform, task_id) == [(index, 1) for index in range(300) if index % 10 != 9]


@pytest.mark.parametrize("number", [1, 2])
def test_runs_of_a_host_that_dies_go_on_at_the_other(platform: Cluster, hosts: Hosts, number: int) -> None:
    task_id = submit_import(platform.first, f"died-{number}", slow_rows(1000, f"died-{number}-"))
    dying, other = runner_of(hosts, task_id)
    wait_for(lambda: len(orders_of(platform, task_id)) >= 1, 30, "some orders")

    processes = dying.kill()
    at_kill = len(orders_of(platform, task_id))
    exports = start_exports(platform, range(10 + number * 3, 13 + number * 3))
    ended = ended_import(platform.first, task_id)
    exported = [ended_import(platform.first, each)["status"] for each in exports]
    dying.start()

    assert (processes >= 2, at_kill < 900) == (True, True)
    assert (ended["result"]["created"], ended["result"]["failed"], other.has_run(task_id)) == (900, 100, True)
    assert orders_of(platform, task_id) == [(index, 1) for index in range(1000) if index % 10 != 9]
    assert exported == [3] * len(exports)
