"""A database of gm_service's orders with two stations' operating cycles in it."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from gm_service.db import metadata
from gm_service.orders import store
from shared.database import in_write, make_engine
from tests.support.order_rows import CYCLE, OTHER_STATION, STATION


@pytest.fixture
def orders_engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    metadata.drop_all(engine)
    metadata.create_all(engine)
    for station_id in (STATION, OTHER_STATION):
        in_write(engine, lambda connection, id=station_id: store.insert_time_configs(connection, id, [CYCLE]))
    yield engine
    engine.dispose()


@pytest.fixture
def zone() -> ZoneInfo:
    return ZoneInfo("Asia/Shanghai")
