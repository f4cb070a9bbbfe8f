"""What the real processes tell Prometheus after a known load, and who may read it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from shared.metrics.table import METRICS
from tests.support.cluster import Cluster
from tests.support.processes import free_port
from tests.support.waiting import wait_for

OK, FAILED, CLOSED = 10, 3, 2
DOUBLE, RAISE = "tests.support.task_functions.double", "tests.support.task_functions.raise_error"
KNOWN = {metric.name.removesuffix("_total") for metric in METRICS}
KEY = "metrics-" + "k" * 32

pytestmark = pytest.mark.timeout(240)
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Metered:
    """A platform with two processes for each HTTP service, a keeper and a worker with endpoints of their own."""

    def __init__(self, cluster: Cluster, addresses: dict[str, str]) -> None:
        self.cluster = cluster
        self.addresses = addresses

    def read(self, service: str) -> Samples:
        """Scrape a service as Prometheus does."""
        answer = requests.get(
            f"{self.addresses[service]}/metrics", headers={"Authorization": f"Bearer {KEY}"}, timeout=10
        )
        assert answer.status_code == 200, answer.text
        found: Samples = {}
        for family in text_string_to_metric_families(answer.text):
            assert family.name in KNOWN, family.name
            for sample in family.samples:
                key = sample.name, tuple(sorted(sample.labels.items()))
                assert key not in found, key
                found[key] = sample.value
        return found

    def value(self, service: str, name: str, **labels: str) -> float:
        """Return the sum of the samples that have these labels."""
        wanted = labels.items()
        return sum(v for (n, given), v in self.read(service).items() if n == name and wanted <= dict(given).items())

    def ended(self, status: str) -> float:
        """Return how many tasks ended so, whoever ended them."""
        return sum(self.value(each, "gm_task_ended_total", status=status) for each in ("gm_async_task", "keeper"))


@pytest.fixture(scope="module")
def metered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metered]:
    folder = tmp_path_factory.mktemp("metered")
    keeper, worker = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    with Cluster(
        folder,
        GM_ASYNC_TASK_WORKERS="2",
        GM_SERVICE_WORKERS="2",
        GM_KEEPER_BIND=keeper,
        GM_WORKER_BIND=worker,
        GM_METRICS_KEY=KEY,
        GM_METRICS_DIR=str(folder / "metrics"),
        GM_LEASE_SECONDS="60",
    ) as cluster:
        addresses = {
            "gm_async_task": cluster.environment["GM_ASYNC_TASK_URL"],
            "gm_service": cluster.environment["GM_SERVICE_URL"],
            "keeper": f"http://{keeper}",
            "gm_task": f"http://{worker}",
        }
        wait_for(
            lambda: requests.get(f"http://{worker}/readyz", timeout=2).ok,
            30,
            "a worker",
            not_yet=requests.RequestException,
        )
        yield Metered(cluster, addresses)


@pytest.fixture(scope="module")
def loaded(metered: Metered) -> Metered:
    """The platform after ten tasks that end well, three that fail, one closed while it runs and one before."""
    cluster = metered.cluster
    tasks = [cluster.submit("double", {"n": number}) for number in range(OK)]
    tasks += [cluster.submit("raise_error") for _ in range(FAILED)]
    began = cluster.folder / "began"
    running = cluster.submit("work_until_told", {"began": str(began)})
    wait_for(began.exists, 30, "a run")
    cluster.tasks.close(running)
    waiting = cluster.tasks.create("S001", DOUBLE, {}).task_id
    cluster.tasks.close(waiting)
    for task_id in [*tasks, running, waiting]:
        cluster.ended(task_id)
    return metered


def test_ends_and_failures_add_up(loaded: Metered) -> None:
    read = loaded.read("gm_async_task")

    assert (loaded.ended("finished"), loaded.ended("failed")) == (OK, FAILED + CLOSED)
    assert read["gm_task_failures_total", (("code", "closed"),)] == CLOSED
    assert read["gm_task_failures_total", (("code", "function_failed"),)] == FAILED
    assert loaded.value("gm_async_task", "gm_tasks_added_total") == OK + FAILED + CLOSED
    assert loaded.value("gm_async_task", "gm_task_run_seconds_count", task_name=DOUBLE, status="finished") == OK
    assert loaded.value("gm_async_task", "gm_task_start_delay_seconds_count") == OK + FAILED + 1


def test_open_tasks_are_gauged_while_they_are_open(loaded: Metered) -> None:
    task_id = loaded.cluster.tasks.create("S001", DOUBLE, {}).task_id
    wait_for(lambda: loaded.value("gm_async_task", "gm_tasks", status="submitted", queue="none") == 1, 10, "a gauge")
    age = loaded.value("gm_async_task", "gm_oldest_submitted_seconds", queue="none")
    loaded.cluster.tasks.close(task_id)

    wait_for(lambda: loaded.value("gm_async_task", "gm_tasks", status="submitted") == 0, 10, "the end of it")
    assert 0 <= age < 15
    assert loaded.value("gm_async_task", "gm_database_up") == 1


def test_two_processes_of_a_service_count_as_one(loaded: Metered) -> None:
    route = {"route": "/healthz", "status": "200"}
    before = loaded.value("gm_service", "gm_http_requests_total", **route)

    for _ in range(40):  # each by a connection of its own: whichever process takes it
        assert requests.get(f"{loaded.addresses['gm_service']}/healthz", timeout=5).ok

    assert {loaded.value("gm_service", "gm_http_requests_total", **route) for _ in range(5)} == {before + 40}
    files = list((loaded.cluster.folder / "metrics").glob("gm-metrics-gm_service-*/counter_*.db"))
    assert len(files) >= 2


def test_children_of_a_worker_count_as_one(loaded: Metered) -> None:
    read = loaded.read("gm_task")

    assert read["gm_runs_ended_total", (("task_name", DOUBLE), ("verdict", "reported"))] == OK
    assert read["gm_runs_started_total", (("task_name", RAISE),)] == FAILED
    assert (read["gm_worker_children", ()], read["gm_worker_broker_connected", ()]) == (2, 1)
    assert loaded.value("gm_task", "gm_task_api_calls_total", outcome="ok") >= 2 * (OK + FAILED)


def test_killed_child_leaves_its_counts_and_no_broken_file(loaded: Metered) -> None:
    before = loaded.value("gm_task", "gm_runs_ended_total", verdict="reported")
    lost = loaded.value("gm_task", "gm_worker_children_lost_total")

    killed = loaded.cluster.submit("kill_own_process_once", repeat=True)
    loaded.cluster.ended(killed)

    wait_for(lambda: loaded.value("gm_task", "gm_worker_children_lost_total") == lost + 1, 10, "the loss")
    assert loaded.value("gm_task", "gm_runs_ended_total", verdict="reported") == before + 1
    assert loaded.value("gm_async_task", "gm_runs_lost_total") + loaded.value("keeper", "gm_runs_lost_total") == 1
    pids = {int(file.stem.rpartition("_")[2]) for file in _files_of(loaded, "gm_task")}
    assert pids - {0} <= {loaded.cluster.processes["gm_task"].pid, *loaded.cluster.worker_children()}


def test_sweeper_tells_what_it_did(loaded: Metered) -> None:
    rung = loaded.value("keeper", "gm_sweeper_total", action="rung")
    task_id = loaded.cluster.tasks.create("S001", DOUBLE, {"n": 1}, queue="gm_task").task_id  # nobody rings
    loaded.cluster.ended(task_id)

    wait_for(lambda: loaded.value("keeper", "gm_sweeper_total", action="rung") > rung, 10, "a ring")
    assert loaded.value("keeper", "gm_sweep_age_seconds") < 10
    assert loaded.value("keeper", "gm_rings_total", outcome="ok") > 0


def test_routes_are_templates_and_secrets_stand_nowhere(loaded: Metered) -> None:
    for service in ("gm_service", "gm_async_task"):
        requests.get(f"{loaded.addresses[service]}/no/such/{'x' * 50}", timeout=5)
        requests.get(f"{loaded.addresses[service]}/station/download/async/4711", timeout=5)

    texts = [repr(loaded.read(service)) for service in loaded.addresses]

    for secret in [*loaded.cluster.secrets.values(), KEY, "xxxx", "4711", str(loaded.cluster.folder), "S001"]:
        assert not any(secret in text for text in texts), secret
    assert loaded.value("gm_service", "gm_http_requests_total", route="unmatched", status="404") >= 1


@pytest.mark.parametrize("service", ["gm_async_task", "gm_service", "keeper", "gm_task"])
def test_only_the_keys_open(loaded: Metered, service: str) -> None:
    address = f"{loaded.addresses[service]}/metrics"
    offers = [{}, {"Authorization": "Bearer wrong"}, {"X-Auth-Key": loaded.cluster.secrets["GM_AUTH_KEY"]}]

    statuses = [requests.get(address, headers=offer, timeout=5).status_code for offer in offers]

    assert statuses == [401, 401, 200]


def test_database_that_hangs_takes_no_metrics_away(loaded: Metered) -> None:
    loaded.cluster.databases.kill()
    try:
        wait_for(lambda: loaded.value("gm_async_task", "gm_tasks_added_total") > 0, 5, "what was counted")
    finally:
        loaded.cluster.databases.start()

    wait_for(lambda: loaded.value("gm_async_task", "gm_database_up") == 1, 30, "the database")


def test_folders_go_with_their_processes(metered: Metered) -> None:
    worker = metered.cluster.processes["gm_task"]
    (folder,) = (metered.cluster.folder / "metrics").glob("gm-metrics-gm_task-*")
    os.kill(worker.pid, signal.SIGTERM)
    worker.process.wait(30)

    assert not folder.exists()
    metered.cluster.start("gm_task")


def _files_of(metered: Metered, service: str) -> list[Path]:
    return list((metered.cluster.folder / "metrics").glob(f"gm-metrics-{service}-*/*.db"))
