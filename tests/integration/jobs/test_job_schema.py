"""The migration of workflow jobs: it makes the tables that the code works with, and can be taken back."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from gm_async_task.db import metadata
from gm_async_task.migrate import SCRIPTS
from shared.database import DatabaseClock
from shared.migrate import alembic_config
from shared.task_api.client import TaskClient
from tests.support.async_task import AppTransport, make_database, make_service

VERSION_TABLE = "alembic_async_task"
BEFORE = "0004"


def migrate(engine: Engine, revision: str) -> None:
    """Bring the database to a revision, from before or from behind it."""
    config = alembic_config(SCRIPTS)
    config.attributes.update(engine=engine, metadata=metadata, version_table=VERSION_TABLE)
    go = command.downgrade if revision == BEFORE else command.upgrade
    go(config, revision)


def differences(engine: Engine) -> list[object]:
    """Return what the database lacks or has too much of."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [each for each in compare_metadata(context, metadata) if VERSION_TABLE not in str(each)]


def indexes(engine: Engine) -> set[str | None]:
    """Return the names of the task table's indexes."""
    return {each["name"] for each in inspect(engine).get_indexes("tbl_async_task")}


def test_the_migration_can_be_taken_back_and_repeated_with_the_tasks_kept(database_url: str) -> None:
    engine = make_database(database_url)
    client = TaskClient(AppTransport(make_service(engine, DatabaseClock())))
    kept = client.create("S001", "demo.work", {"n": 1}).task_id
    before = indexes(engine)
    assert differences(engine) == []

    migrate(engine, BEFORE)
    without = set(inspect(engine).get_table_names())
    columns = {each["name"] for each in inspect(engine).get_columns("tbl_async_task")}
    assert indexes(engine) == before
    migrate(engine, "head")

    assert [name for name in without if name.startswith("workflow")] == []
    assert "workflow_task_id" not in columns
    assert (differences(engine), indexes(engine)) == ([], before)
    assert client.get(kept).input == '{"n":1}'
    engine.dispose()
