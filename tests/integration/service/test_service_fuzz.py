"""S-a for gm_service: every route, right and wrong inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from gm_service.orders import store
from gm_service.orders.models import TimeConfig
from shared.database import in_write
from tests.support.fuzz import fuzz
from tests.support.service import Service

INPUTS = 60
# Hashing a password is slow on purpose, and the limit of attempts is tested where it lives.
SLOW_ON_PURPOSE = ("/session",)


@pytest.mark.timeout(240)
def test_no_input_breaks_a_route(tmp_path: Path) -> None:
    service = Service(tmp_path)
    cycle = TimeConfig("whole-day", "Whole day", "06:00", "06:00")
    in_write(service.engine, lambda connection: store.insert_time_configs(connection, "S001", [cycle]))
    service.add_task()
    headers = {**service.program().headers, "X-Auth-Key": service.settings.auth_key.get_secret_value()}

    fuzzed = fuzz(service.app, headers, INPUTS, skip=SLOW_ON_PURPOSE)

    assert fuzzed >= 16
