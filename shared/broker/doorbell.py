"""A kombu transport on one SQLite file, for one machine: `doorbell:////absolute/path/broker.sqlite`.

Delivers at most once and restores nothing: a message only rings the bell, and the sweeper rings again. Written
because kombu's own transports for files and databases lose messages or move four a second (ARCHITECTURE.md section 4).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any, ClassVar

import structlog
from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.utils.json import dumps, loads

from shared.broker.raw_message import check_raw_message

SCHEME = "doorbell"
log = structlog.get_logger(__name__)
POLL_SECONDS = 0.05
# Below the 2 seconds that a send may take in all.
BUSY_TIMEOUT_SECONDS = 1.5
_TABLE = "CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, body TEXT)"
_INDEX = "CREATE INDEX IF NOT EXISTS message_queue ON message (queue, id)"
_OLDEST = "SELECT id FROM message WHERE queue = ? ORDER BY id LIMIT 1"
_TAKE_OLDEST = (
    "DELETE FROM message WHERE id = (SELECT id FROM message WHERE queue = ? ORDER BY id LIMIT 1) RETURNING body"
)


def register() -> None:
    """Make kombu know `doorbell://`; repeating it changes nothing."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"


class Channel(virtual.Channel):
    """Keeps messages in one table; whoever deletes a row has its message."""

    do_restore = False

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self._connections = _Connections(connection.client.virtual_host)

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Be done with a message; there may be room for the next one, which need not wait for the next poll."""
        super().basic_ack(delivery_tag, multiple)
        self.connection.poll_soon()

    def _put(self, queue: str, message: Any, **_kwargs: Any) -> None:
        self._connections.present().execute("INSERT INTO message (queue, body) VALUES (?, ?)", (queue, dumps(message)))

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002 polled by the transport
        database = self._connections.present()
        # Looking first keeps an idle poll from taking the write lock.
        if database.execute(_OLDEST, (queue,)).fetchone() is None:
            raise Empty
        taken = database.execute(_TAKE_OLDEST, (queue,)).fetchall()
        if not taken:
            raise Empty
        try:
            return check_raw_message(loads(taken[0][0]))
        except (ValueError, TypeError, RecursionError) as error:
            log.error("message_unreadable", queue=queue, problem=str(error)[:200])
            raise Empty from error

    def _size(self, queue: str) -> int:
        counted = self._connections.present().execute("SELECT count(*) FROM message WHERE queue = ?", (queue,))
        return int(counted.fetchone()[0])

    def _purge(self, queue: str) -> int:
        return self._connections.present().execute("DELETE FROM message WHERE queue = ?", (queue,)).rowcount

    def _new_queue(self, queue: str, **_kwargs: Any) -> None:
        """Do nothing: a queue is its rows, so that a message may come before its queue's first worker."""

    def _has_queue(self, queue: str, **_kwargs: Any) -> bool:  # noqa: ARG002 every name is a queue
        return True


class Transport(virtual.Transport):
    """Polls the file; its errors make Celery connect again."""

    Channel = Channel
    # The event loop gives each child a pipe of its own. Without it the children share one, and a child that is
    # killed while it waits takes the pipe's lock with it: the worker would never run anything again.
    implements = virtual.Transport.implements.extend(asynchronous=True)
    polling_interval = POLL_SECONDS
    driver_type = "sqlite"
    driver_name = SCHEME
    default_connection_params: ClassVar[dict[str, Any]] = {}  # there is no host to fall back to
    connection_errors = (*virtual.Transport.connection_errors, sqlite3.Error, OSError)
    channel_errors = (*virtual.Transport.channel_errors, sqlite3.Error)

    _call_soon: Callable[..., Any] | None = None
    _polls_soon = False

    def driver_version(self) -> str:
        """Return SQLite's version."""
        return sqlite3.sqlite_version

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Have the worker's event loop poll the file."""
        loop.call_repeatedly(self.polling_interval, self._drain, connection)
        self._call_soon = loop.call_soon

    def poll_soon(self) -> None:
        """Poll once the event loop has done what it is doing; whoever has no loop polls as it did."""
        if self._call_soon is not None and not self._polls_soon:
            self._polls_soon = True
            self._call_soon(self._drain, self)

    def _drain(self, connection: Any) -> None:
        """Deliver what is there, as far as the worker takes it; what can't be read now is polled for again."""
        self._polls_soon = False
        try:
            while True:
                self.drain_events(connection, timeout=0)
        except TimeoutError:
            return
        except sqlite3.OperationalError as error:
            log.warning("doorbell_unreadable", problem=str(error))


class _Connections:
    """One SQLite connection for each thread of each process, opened when first needed.

    A connection inherited by fork is neither used nor closed: closing it would drop the parent's file locks.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._local = threading.local()

    def present(self) -> sqlite3.Connection:
        opened: dict[int, sqlite3.Connection] = self._local.__dict__.setdefault("opened", {})
        process = os.getpid()
        if process not in opened:
            opened[process] = self._open()
        return opened[process]

    def _open(self) -> sqlite3.Connection:
        Path(self._path).parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        # Not flushed at each message: a bell lost with the power is rung again.
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute(_TABLE)
        database.execute(_INDEX)
        return database
