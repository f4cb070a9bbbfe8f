"""What the database's callers meet when it is away, slow or torn from them: the result, or `Unavailable` in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pymysql
import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine, make_url

from shared.database import in_read, in_write, make_engine
from shared.errors import Unavailable
from tests.support.mariadb import MariaDbServer
from tests.support.proxy import Proxy

ANSWER_SECONDS = 1.0


@pytest.fixture
def engine(mariadb_server: MariaDbServer) -> Iterator[Engine]:
    """Two rows to fight for."""
    engine = make_engine(mariadb_server.make_url())
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE place (id INT PRIMARY KEY, n INT NOT NULL) ENGINE=InnoDB")
        connection.exec_driver_sql("INSERT INTO place VALUES (1, 0), (2, 0)")
    yield engine
    engine.dispose()


def _set(connection: Connection, row: int) -> None:
    connection.execute(text("UPDATE place SET n = n + 1 WHERE id = :id"), {"id": row})


def test_a_connection_killed_under_a_statement_is_unavailable(engine: Engine) -> None:
    ids: list[int] = []

    def sleep(connection: Connection) -> None:
        ids.append(connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one())
        connection.exec_driver_sql("SELECT SLEEP(20)")

    def kill() -> None:
        while not ids:
            time.sleep(0.01)
        with engine.connect() as other:
            while not other.execute(text("SELECT state LIKE 'User sleep' FROM information_schema.processlist WHERE id = :id"), {"id": ids[0]}).scalar():  # noqa: E501 # fmt: skip
                time.sleep(0.01)
            other.exec_driver_sql(f"KILL {ids[0]}")

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(Unavailable):
        in_read(engine, sleep)
    killer.join()


def test_a_query_that_is_killed_is_unavailable(engine: Engine) -> None:
    with pytest.raises(Unavailable):
        in_read(engine, lambda connection: connection.exec_driver_sql("SET STATEMENT max_statement_time=0.05 FOR SELECT SLEEP(9) FROM place"))  # noqa: E501 # fmt: skip


def test_no_free_connection_is_unavailable_soon(engine: Engine) -> None:
    with ExitStack() as held:
        for _ in range(20):
            held.enter_context(engine.connect())
        began = time.monotonic()

        with pytest.raises(Unavailable):
            in_read(engine, lambda connection: connection.exec_driver_sql("SELECT 1"))

    assert time.monotonic() - began < 10


def test_a_row_that_stays_locked_is_unavailable_soon(engine: Engine) -> None:
    with engine.begin() as other:
        _set(other, 1)
        began = time.monotonic()

        with pytest.raises(Unavailable):
            in_write(engine, lambda connection: _set(connection, 1))

        waited = time.monotonic() - began
        assert waited < 10
    assert in_read(engine, lambda connection: connection.exec_driver_sql("SELECT SUM(n) FROM place").scalar()) == 1


def test_whoever_loses_a_deadlock_tries_again(engine: Engine) -> None:
    first_locks = threading.Barrier(2)

    def both(rows: tuple[int, int]) -> int:
        tries = 0

        def work(connection: Connection) -> None:
            nonlocal tries
            tries += 1
            _set(connection, rows[0])
            if tries == 1:
                first_locks.wait(10)
            _set(connection, rows[1])

        in_write(engine, work)
        return tries

    with ThreadPoolExecutor(2) as callers:
        tries = sorted(callers.map(both, [(1, 2), (2, 1)]))

    assert tries == [1, 2]
    assert in_read(engine, lambda connection: connection.exec_driver_sql("SELECT SUM(n) FROM place").scalar()) == 4


@pytest.mark.parametrize("known", [True, False], ids=["on a connection at hand", "on a new connection"])
def test_a_database_that_falls_silent_is_unavailable_in_time(engine: Engine, known: bool) -> None:
    url = make_url(engine.url)
    with Proxy(url.port or 0) as link:
        silent = make_engine(
            url.set(port=link.port).render_as_string(hide_password=False), answer_seconds=ANSWER_SECONDS
        )
        if known:
            in_read(silent, lambda connection: connection.exec_driver_sql("SELECT 1"))
        link.blacken()
        began = time.monotonic()

        with pytest.raises(Unavailable):
            in_read(silent, lambda connection: connection.exec_driver_sql("SELECT 1"))

        assert time.monotonic() - began < 3 * ANSWER_SECONDS + 3
        silent.dispose()


def test_a_link_that_is_cut_between_two_statements_is_unavailable_and_nothing_is_kept(engine: Engine) -> None:
    url = make_url(engine.url)
    with Proxy(url.port or 0) as link:
        through = make_engine(url.set(port=link.port).render_as_string(hide_password=False))

        def work(connection: Connection) -> None:
            _set(connection, 1)
            link.cut()
            _set(connection, 2)

        with pytest.raises(Unavailable):
            in_write(through, work)
        in_write(through, lambda connection: _set(connection, 2))
        through.dispose()

    rows = in_read(engine, lambda connection: connection.exec_driver_sql("SELECT n FROM place ORDER BY id").all())
    assert [row.n for row in rows] == [0, 1]


def test_too_few_connections_at_the_server_is_unavailable(mariadb_server: MariaDbServer, engine: Engine) -> None:
    port = make_url(engine.url).port or 0
    with pymysql.connect(host="127.0.0.1", port=port, user="root") as admin, admin.cursor() as cursor:
        cursor.execute("CREATE USER IF NOT EXISTS few@'%' WITH MAX_USER_CONNECTIONS 1")
        cursor.execute("GRANT ALL ON *.* TO few@'%'")
        few = make_engine(make_url(engine.url).set(username="few").render_as_string(hide_password=False))
        with few.connect(), pytest.raises(Unavailable):
            in_read(few, lambda connection: connection.exec_driver_sql("SELECT 1"))
        few.dispose()
