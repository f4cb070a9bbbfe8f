"""Engines for SQLite and MySQL/MariaDB that behave alike, and the database's own clock.

SQLite: WAL, synchronous FULL, and every write transaction begins with BEGIN IMMEDIATE (with plain BEGIN half of
all concurrent updates failed when tried). MySQL: READ COMMITTED, UTC, connections checked before use.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import BigInteger, DateTime, Integer, String, Text, bindparam, create_engine, event
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from shared.errors import CannotStart, StorageFull, TooLarge, Unavailable
from shared.profiling.present import when_first_profiled
from shared.web import strict_json

Result = TypeVar("Result")
log = structlog.get_logger(__name__)

_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite", "mysql+pymysql", "mariadb+pymysql"})
SQLITE_BUSY_TIMEOUT_SECONDS = 10
# Deadlock, lock wait timeout: the whole transaction may be tried again at once.
_MYSQL_TRY_AGAIN = frozenset({1205, 1213})
_TRANSACTION_TRIES = 5
_TRY_NO_LONGER_THAN_SECONDS = 4.0
"""no new try of a transaction begins later than this after the first: callers wait for 5 seconds"""
_LOCK_WAIT_SECONDS = 2
"""InnoDB's own 50 are longer than anybody listens"""
_FREE_CONNECTION_SECONDS = 5
_MYSQL_PACKET_TOO_LARGE = 1153
_MYSQL_DISK_FULL = frozenset({1021, 1114})
_MYSQL_AWAY = frozenset(
    {
        *(1040, 1129, 1203, 1226),  # too many connections: of all, host blocked, of this user, by its limits
        *(1053, 1317, 1927, 1969, 3024),  # shutting down, query or connection killed, took too long
        *(1205, 1213),  # lock wait, deadlock
        *(1290, 1792, 1836),  # read only, as a server is that hands over to another
        *(2002, 2003, 2006, 2013, 2014, 2055),  # can't connect, gone, lost
    }
)

# Interface and internal errors are what PyMySQL says of a connection that broke under it.
_FAILURES = (OperationalError, InterfaceError, InternalError, NoFreeConnection)

UtcDateTime = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
"""A UTC datetime without offset, to the microsecond on every database."""

LongText = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
"""Text of any size: MySQL's plain TEXT ends at 64 KB, a batch of 10,000 orders has megabytes."""

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""A row's own number; SQLite numbers rows by itself only where the key is an INTEGER."""


class DatabaseRefused(CannotStart):
    """The database's address is not one to work with, or the server refuses us, in a sentence."""


def exact_text(length: int) -> String:
    """Return a text type that compares by code point on every database (MySQL would match other cases)."""
    exact = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return String(length).with_variant(exact, "mysql", "mariadb")


def make_engine(url: str, *, answer_seconds: float = 30.0) -> Engine:
    """Return an engine for `sqlite:///file` or `mysql+pymysql://user:password@host/name`.

    `answer_seconds` is the longest wait for a part of a MySQL server's answer: a request meets it twice at most, on a
    connection that fell silent and on the one made in its place. A long query or a migration needs a longer one.

    Raises:
        DatabaseRefused: the address is of no such kind.
    """
    when_first_profiled(_tell_of_statements)
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _make_sqlite_engine(parsed)
    return create_engine(
        parsed.update_query_dict({"charset": "utf8mb4"}),
        isolation_level="READ COMMITTED",
        json_serializer=strict_json.dumps,
        pool_pre_ping=True,
        pool_recycle=1800,
        pool_size=10,
        pool_timeout=_FREE_CONNECTION_SECONDS,
        connect_args={
            "connect_timeout": 3,
            "read_timeout": answer_seconds,
            "write_timeout": answer_seconds,
            "init_command": f"SET time_zone = '+00:00', innodb_lock_wait_timeout = {_LOCK_WAIT_SECONDS}",
        },
    )


def _parse(url: str) -> URL:
    """Return the address in its parts; an error quotes none of it, as it has a password.

    Raises:
        DatabaseRefused: it is of no kind that this platform runs on.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number is the latter
        parsed = None
    if parsed is None or parsed.drivername not in _DRIVERS:
        raise DatabaseRefused(
            "The database's address is not understood; use mysql+pymysql://user:password@host/name or "
            "sqlite:////absolute/path.db"
        )
    return parsed


def reason_of(error: Exception) -> str:
    """Return what the database said, without the statement and what SQLAlchemy adds."""
    cause = getattr(error, "orig", None) or error
    return str(cause.args[-1] if cause.args else cause).rstrip(".")


def _tell_of_statements() -> None:
    from shared.profiling.statements import listen_to_engines  # noqa: PLC0415 nobody who is not profiled pays for it

    listen_to_engines()


def _make_sqlite_engine(url: URL) -> Engine:
    engine = create_engine(
        url, json_serializer=strict_json.dumps, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        _enter_wal(connection)
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("read_only", False):
            connection.exec_driver_sql("BEGIN")
            return
        connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if options.get('durable', True) else 'NORMAL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _enter_wal(connection: Any) -> None:
    """Switch to WAL, which the file remembers.

    On a fresh file two that switch at once lock each other out, and SQLite's busy timeout doesn't cover it.
    """
    deadline = time.monotonic() + SQLITE_BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.005, 0.02))  # noqa: S311 jitter, no secret


def in_write(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    """Run `work` in one write transaction and return what it returns.

    The whole of it is tried again after a deadlock or a lock wait, so `work` must do nothing but SQL.

    Raises:
        Unavailable: the database is away or stays busy.
    """
    deadline = time.monotonic() + _TRY_NO_LONGER_THAN_SECONDS
    for attempt in range(1, _TRANSACTION_TRIES + 1):
        try:
            with engine.begin() as connection:
                return work(connection)
        except _FAILURES as error:
            last = attempt == _TRANSACTION_TRIES or time.monotonic() > deadline
            if last or not _may_try_again(error):
                raise _translated(error) from error
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 jitter, no secret
    raise AssertionError("unreachable")


def in_read(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    """Run `work` on one consistent view that blocks no writer, and return what it returns.

    Raises:
        Unavailable: the database is away.
    """
    try:
        with engine.connect().execution_options(read_only=True) as connection, connection.begin():
            return work(connection)
    except _FAILURES as error:
        raise _translated(error) from error


def _may_try_again(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and (
        _code(error) in _MYSQL_TRY_AGAIN or "database is locked" in str(error.orig)
    )


def _translated(error: Exception) -> Exception:
    """Return what callers are told: come back later, make it smaller, make room; or the error itself, our fault."""
    if not isinstance(error, DBAPIError):
        log.warning("database_unavailable", problem="no free connection")
        return Unavailable(what="database")
    code, text = _code(error), str(error.orig)
    if code == _MYSQL_PACKET_TOO_LARGE:
        return TooLarge(what="request", limit="the database's max_allowed_packet")
    if code in _MYSQL_DISK_FULL or "disk is full" in text:
        return StorageFull()
    if isinstance(error.orig, sqlite3.OperationalError) or code in _MYSQL_AWAY or error.connection_invalidated:
        log.warning("database_unavailable", problem=text)
        return Unavailable(what="database")
    return error


def _code(error: DBAPIError) -> Any:
    cause = error.orig
    return cause.args[0] if cause is not None and cause.args else None


class utc_after(FunctionElement[datetime]):  # noqa: N801 reads as the SQL function it is
    """The database's time plus `seconds()`, as UTC without offset; asked for when its statement is executed."""

    type = UtcDateTime
    # The distance is a bound value: a statement is compiled once, not at each call, and may be kept.
    inherit_cache = True

    def __init__(self, seconds: Callable[[], float]) -> None:
        microseconds = bindparam(None, callable_=lambda: round(seconds() * 1_000_000), type_=BigInteger(), unique=True)
        super().__init__(microseconds)


@compiles(utc_after, "sqlite")
def _utc_after_sqlite(element: utc_after, compiler: Any, **kwargs: Any) -> str:
    # Six digits, so that stored times compare as text with those that SQLAlchemy writes.
    microseconds = compiler.process(element.clauses, **kwargs)
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', printf('%+.3f seconds', {microseconds} / 1e6)) || '000')"


@compiles(utc_after, "mysql")
@compiles(utc_after, "mariadb")
def _utc_after_mysql(element: utc_after, compiler: Any, **kwargs: Any) -> str:
    return f"(UTC_TIMESTAMP(6) + INTERVAL {compiler.process(element.clauses, **kwargs)} MICROSECOND)"


class DatabaseClock:
    """Tells time by the database, so that no host's clock matters; tests move it by `offset_seconds`."""

    def __init__(self, offset_seconds: float = 0.0) -> None:
        self.offset_seconds = offset_seconds

    def now(self) -> utc_after:
        """Return the SQL expression of this moment."""
        return self.after(0.0)

    def after(self, seconds: float) -> utc_after:
        """Return the SQL expression of the moment `seconds` from now (before now when negative)."""
        return utc_after(lambda: self.offset_seconds + seconds)


def to_zone(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Give a stored UTC datetime the offset of `zone`."""
    return moment.replace(tzinfo=UTC).astimezone(zone) if moment else None


def to_utc(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the UTC datetime without offset that is stored; a naive `moment` is read in `zone`."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return aware.astimezone(UTC).replace(tzinfo=None)
