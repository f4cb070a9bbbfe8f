"""The station tables: migrated on every database, seeded again and again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from gm_service.db import metadata
from gm_service.migrate import VERSION_TABLE, migrate
from gm_service.stations.seed import seed
from gm_service.stations.service import StationService
from shared.database import make_engine
from shared.errors import SignInFailed
from tests.support.processes import Proc

SECRETS = {"GM_DEMO_PASSWORD": "first password", "GM_STATION_TOKEN": "token-1", "GM_STATION2_TOKEN": "token-2"}


def test_migrated_database_is_what_the_models_say(database_url: str) -> None:
    engine = make_engine(database_url)
    migrate(engine)
    migrate(engine)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        differences = compare_metadata(context, metadata)

    assert differences == []


def test_migrations_started_at_once_all_succeed(tmp_path: Path) -> None:
    settings = {
        "GM_AUTH_KEY": "k" * 40,
        "GM_BROKER_URL": "doorbell:////nowhere",
        "GM_FILES_DIR": str(tmp_path),
        "GM_SERVICE_DATABASE_URL": f"sqlite:///{tmp_path}/fresh.db",
        "GM_ASYNC_TASK_URL": "http://127.0.0.1:1",
        "GM_SERVICE_SECRET_KEY": "s" * 40,
    }
    command = [sys.executable, "-m", "gm_service.migrate"]
    started = [Proc(f"migrate{number}", command, tmp_path, {**os.environ, **settings}) for number in range(3)]

    ended = [each.process.wait(60) for each in started]

    assert ended == [0, 0, 0], [each.text() for each in started]


def test_seeding_again_keeps_people_and_takes_new_secrets(database_url: str) -> None:
    engine = make_engine(database_url)
    migrate(engine)
    stations = StationService(engine)
    seed(stations, SECRETS)
    first = stations.sign_in("S001", "clerk", "first password")

    seed(stations, SECRETS)
    unchanged = stations.find_person(stations.open_session(first, seconds=60), first.password_stamp)
    seed(stations, {**SECRETS, "GM_DEMO_PASSWORD": "second password", "GM_STATION_TOKEN": "token-3"})

    assert unchanged == first
    assert stations.sign_in("S001", "clerk", "second password").user_id == first.user_id
    assert stations.station_of_token("token-1") is None
    assert [station and station.id for station in map(stations.station_of_token, ("token-3", "token-2"))] == [
        "S001",
        "S002",
    ]


@pytest.mark.parametrize(("station_id", "username"), [("s001", "clerk"), ("S001", "Clerk"), ("S002", "x")])
def test_names_are_compared_exactly(database_url: str, station_id: str, username: str) -> None:
    engine = make_engine(database_url)
    migrate(engine)
    stations = StationService(engine)
    seed(stations, SECRETS)

    with pytest.raises(SignInFailed):
        stations.sign_in(station_id, username, "first password")
