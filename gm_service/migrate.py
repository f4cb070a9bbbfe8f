"""Brings gm_service's database to the newest schema: `python -m gm_service.migrate`; several may start at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine

from gm_service.config import ServiceSettings
from shared.database import make_engine
from shared.logs import configure_logs

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = "gm_service_migrate"
_LOCK_SECONDS = 60


def migrate(engine: Engine) -> None:
    """Upgrade to head; does nothing where the database is there already."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    # SQLite changes tables inside a transaction, begun as a write: a second one waits and finds all done.
    with engine.begin() as connection, _alone(connection):
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """On MySQL, where a change of a table ends the transaction, hold a named lock instead."""
    if connection.dialect.name == "sqlite":
        yield
        return
    name = {"name": _LOCK}
    got = connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), {**name, "seconds": _LOCK_SECONDS})
    if got != 1:
        raise TimeoutError("another migration of gm_service has been running for too long")
    try:
        yield
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), name)


def main() -> None:
    """Migrate the configured database."""
    settings = ServiceSettings()
    configure_logs("gm_service_migrate", settings.log_level, settings.secrets())
    migrate(make_engine(settings.service_database_url.get_secret_value()))


if __name__ == "__main__":
    main()
