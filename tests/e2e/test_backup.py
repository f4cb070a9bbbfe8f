"""docs/operations.md, "Back up and restore": one dump of both databases brings everything back, and nothing twice."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared.task_api.models import TaskStatus
from tests.conftest import MARIADB
from tests.support import mariadb
from tests.support.cluster import Cluster
from tests.support.databases import MariaDbDatabases
from tests.support.import_jobs import ended_import, order_rows, orders_of, slow_rows, submit_import
from tests.support.waiting import wait_for

ROWS = 600

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[mariadb.MariaDbServer]]:
    """Two database servers: one that is lost, and the one that the backup is restored on."""
    MARIADB.need()
    with ExitStack() as ends:
        running = []
        for name in ("lost", "restored"):
            (tmp_path / name).mkdir()
            running.append(mariadb.start_server(tmp_path / name))
            ends.callback(running[-1].stop)
        yield running


def _names(databases: MariaDbDatabases) -> tuple[str, str]:
    tasks, orders = (url.rpartition("/")[2] for url in (databases.tasks_url, databases.orders_url))
    return tasks, orders


def _connect(program: str, server: mariadb.MariaDbServer) -> list[str]:
    return [program, "--no-defaults", "--host=127.0.0.1", f"--port={server.port}", "--user=root"]


def test_a_dump_in_the_middle_of_an_import_is_gone_on_with(
    tmp_path: Path, servers: list[mariadb.MariaDbServer]
) -> None:
    lost, restored = servers
    dump = tmp_path / "gm.sql"
    before = Cluster(tmp_path / "lost", demo_orders=True, databases=MariaDbDatabases(lost))
    with before:
        ended = submit_import(before.first, "ended", order_rows(20, "ended-"))
        ended_import(before.first, ended)
        midway = submit_import(before.first, "midway", slow_rows(ROWS, "midway-"))
        wait_for(lambda: orders_of(before, midway), 30, "some orders")
        with dump.open("wb") as file:
            command = [
                *_connect("mariadb-dump", lost),
                "--single-transaction",
                "--databases",
                *_names(before.databases),
            ]
            subprocess.run(command, stdout=file, check=True)
        after_the_dump = submit_import(before.first, "forgotten", order_rows(3, "forgotten-"))
    with dump.open("rb") as file:
        subprocess.run(_connect("mariadb", restored), stdin=file, check=True)

    # The keys and stations are those of before; the broker is a new one, as nothing in it is worth keeping.
    again = Cluster(
        tmp_path / "restored", databases=MariaDbDatabases(restored, _names(before.databases)), **before.secrets
    )
    again.secrets = before.secrets
    with again:
        at_the_dump = again.first.data("/task/get", task_id=midway)["status"]
        gone_on = ended_import(again.first, midway)
        sent_again = submit_import(again.first, "forgotten", order_rows(3, "forgotten-"))
        ended_import(again.first, sent_again)
        found = {task_id: orders_of(again, task_id) for task_id in (ended, midway, sent_again)}

    assert at_the_dump in (TaskStatus.SUBMITTED, TaskStatus.RUNNING)
    assert gone_on["status"] == TaskStatus.PARTLY_SUCCEEDED
    assert found[ended] == [(index, 1) for index in range(20) if index % 10 != 9]
    assert found[midway] == [(index, 1) for index in range(ROWS) if index % 10 != 9]
    assert found[sent_again] == [(index, 1) for index in range(3)]
    assert after_the_dump == sent_again, "the id of a task that the backup does not know is given again"
