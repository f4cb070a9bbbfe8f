"""Remembers the nonces of signed calls in a service's own database, so that all its processes know them.

A nonce is kept twice as long as a signature can be taken, and forgotten in passing: there is no job to run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import BigInteger, Column, MetaData, Table, delete, insert, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from shared.database import exact_text, in_write
from shared.errors import Unavailable
from shared.signing.signature import WINDOW_SECONDS

FORGET_EVERY_SECONDS = 30.0
FORGET_AT_ONCE = 1000


def make_nonce_table(name: str, metadata: MetaData) -> Table:
    """Return a service's table of nonces; its name is the service's own, as services may share one database."""
    return Table(
        name,
        metadata,
        Column("nonce", exact_text(64), primary_key=True),
        # Seconds since 1970, by the clock that the signature was held against.
        Column("keep_until", BigInteger, nullable=False, index=True),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )


class NonceStore:
    """The nonces that one service has seen."""

    def __init__(self, engine: Engine, table: Table, clock: Callable[[], float] = time.time) -> None:
        # SQLite need not wait for the disk: what a power cut makes it forget is older than the reboot takes.
        self._engine = engine.execution_options(durable=False)
        self._table = table
        self._clock = clock
        self._forget_at = 0.0

    def spend(self, nonce: str, timestamp: int) -> bool:
        """Take a nonce for good; False where it was taken before, by whatever process.

        Raises:
            Unavailable: the database is away.
        """
        # Twice the window after its time: no server whose clock is right within the window still takes it then.
        values = {"nonce": nonce, "keep_until": timestamp + 2 * WINDOW_SECONDS}
        try:
            in_write(self._engine, lambda connection: connection.execute(insert(self._table).values(values)))
        except IntegrityError:
            return False
        if self._clock() >= self._forget_at:
            self._forget_old()
        return True

    def _forget_old(self) -> None:
        self._forget_at = self._clock() + FORGET_EVERY_SECONDS
        nonce, keep_until = self._table.c.nonce, self._table.c.keep_until
        old = select(nonce).where(keep_until < int(self._clock())).limit(FORGET_AT_ONCE)

        def forget(connection: Connection) -> int:
            nonces = connection.execute(old).scalars().all()
            return connection.execute(delete(self._table).where(nonce.in_(nonces))).rowcount if nonces else 0

        try:
            forgotten = in_write(self._engine, forget)
        except Unavailable:  # the nonce is spent: the call that came by must not fail for the others' sake
            return
        if forgotten == FORGET_AT_ONCE:
            self._forget_at = 0.0  # the next call goes on; each forgets more than it adds
