"""Opens a database by its address to be read alone, and says in a sentence why that can't be; never with a password."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from shared.database import DatabaseRefused, make_engine, reason_of

_MAGIC = b"SQLite format 3\0"
_KNOWN = ("sqlite", "mysql", "mariadb")


class NotReached(Exception):
    """Why a database can't be read, in a sentence."""


def open_to_read(named: str) -> Engine:
    """Open what is named by its address, by a file that has the address, or by an SQLite file's own path.

    Raises:
        NotReached: that is no database, or it can't be read.
        OSError: the file with the address can't be read.
    """
    url = _url_of(named)
    if url.get_backend_name() not in _KNOWN:
        raise NotReached(f"{url.drivername} is none of the databases that are compared: SQLite, MariaDB, MySQL.")
    try:
        engine = _open_file(url) if url.get_backend_name() == "sqlite" else make_engine(_whole(url))
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            if connection.dialect.name == "sqlite":
                connection.execute(text("SELECT count(*) FROM sqlite_master"))  # the file is read now
    except (DatabaseRefused, NoSuchModuleError, ImportError) as error:
        raise NotReached(f"There is no driver {url.drivername} here; there is mysql+pymysql.") from error
    except (SQLAlchemyError, TypeError) as error:
        raise NotReached(f"{_shown(url)} can't be read: {reason_of(error)}.") from error
    return engine


def _url_of(named: str) -> URL:
    address = named if "://" in named else _address_in(Path(named))
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # which may have the address in its text, and so the password
        url = None
    if url is None:
        raise NotReached("That is no address such as sqlite:///file or mysql+pymysql://user:password@host/name.")
    if "@" in (url.host or ""):
        raise NotReached("The address has more than one @: write those of the password as %40.")
    return url


def _address_in(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith(_MAGIC):
        return f"sqlite:///{path}"
    return content.decode("utf-8", "replace").strip()


def _open_file(url: URL) -> Engine:
    """Open an SQLite file without making it, or changing anything of it."""
    path = Path(url.database or "")
    if not path.is_file():
        raise NotReached(f"There is no SQLite file {url.database or 'in that address'}.")
    address = f"{path.absolute().as_uri()}?mode=ro"
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=NullPool)


def _whole(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _shown(url: URL) -> str:
    return url.set(password=None, query={}).render_as_string()
