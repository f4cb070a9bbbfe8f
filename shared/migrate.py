"""Runs a service's Alembic migrations without an .ini file, so that no address or password stands in one."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

from shared.database import DatabaseRefused, reason_of

STATEMENT_SECONDS = 24 * 3600.0
"""what one step of a migration may take: changing a large table is silent for long"""


def upgrade(engine: Engine, scripts: Path, metadata: MetaData, version_table: str) -> None:
    """Upgrade the database to the newest revision of `scripts`; at the newest one it does nothing.

    `version_table` differs per service, so that two services may share one database.

    Raises:
        DatabaseRefused: the database does not let us in.
    """
    config = alembic_config(scripts)
    config.attributes.update(engine=engine, metadata=metadata, version_table=version_table)
    _refuse_without_database(engine)
    command.upgrade(config, "head")


def _refuse_without_database(engine: Engine) -> None:
    """See that the database lets us in, before a failure would be one of the migrations.

    Raises:
        DatabaseRefused: it does not.
    """
    try:
        engine.connect().close()
    except OperationalError as error:
        raise DatabaseRefused(f"The database can't be used: {reason_of(error)}") from error


def alembic_config(scripts: Path) -> Config:
    """Return Alembic's configuration for the folder of one service's migrations."""
    config = Config()
    config.set_main_option("script_location", str(scripts))
    return config


def run_environment(context: EnvironmentContext) -> None:
    """Do what a service's env.py is for: run the migrations on the engine that `upgrade` was given."""
    attributes = context.config.attributes
    engine: Engine = attributes["engine"]
    with engine.connect() as connection:
        _migrate(context, connection, attributes["metadata"], attributes["version_table"])
        connection.commit()


def _migrate(context: EnvironmentContext, connection: Connection, metadata: MetaData, version_table: str) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=version_table,
        render_as_batch=True,
        compare_type=True,
    )
    # SQLite has one lock for the whole database, taken by BEGIN IMMEDIATE: a second migrator waits here.
    with context.begin_transaction():
        context.run_migrations()
