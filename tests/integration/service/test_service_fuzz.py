"""S-a for gm_service: every route, right and wrong inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from gm_service.orders import store
from gm_service.orders.models import TimeConfig
from shared.database import in_write
from tests.support.fuzz import fuzz
from tests.support.order_rows import keep_import
from tests.support.service import Service

INPUTS = 60
# Hashing a password is slow on purpose, and the limit of attempts is tested where it lives.
SLOW_ON_PURPOSE = ("/session",)
FILES_THAT_ARE_NOT_THERE = {"GET /station/download/sync/{key}", "GET /station/download/async/{task_id}"}
ORDER = {"order_no": "F1", "order_time": "2010-12-01 10:00:00", "sku": "A", "quantity": 1, "unit_price": "1.5"}
KNOWN = {
    "time_config_id": ["whole-day"],
    "query_type": [1, 2, 3],
    "start_date": ["2010-12-01"],
    "end_date": ["2010-12-23"],
    "cycle_start_time": ["2010-12-01 06:00:00"],
    "cycle_end_time": ["2010-12-02 06:00:00"],
    "format": ["house"],
    "station_id": ["S001"],
    "order_data": [[ORDER]],
    "rows": [[{"index": 0, "order": ORDER}]],
    "run_count": [2],
    "limit": [10],
    "state": ["open"],
}


@pytest.mark.timeout(240)
def test_no_input_breaks_a_route(tmp_path: Path) -> None:
    service = Service(tmp_path)
    cycle = TimeConfig("whole-day", "Whole day", "06:00", "06:00")
    in_write(service.engine, lambda connection: store.insert_time_configs(connection, "S001", [cycle]))
    tasks = [service.add_task().task_id for _ in range(6)]
    for task_id in tasks[3:]:
        service.end_task(task_id)
    import_id = keep_import(service.engine, ORDER, task_id=tasks[4])
    known = {"task_id": tasks, "import_id": [import_id], "task_ids": [[task_id] for task_id in tasks], **KNOWN}
    headers = {**service.program().headers, "X-Auth-Key": service.settings.auth_key.get_secret_value()}

    answered = fuzz(service.app, headers, INPUTS, lambda: known, skip=SLOW_ON_PURPOSE)

    assert len(answered) >= 16
    unpassed = {label for label, statuses in answered.items() if 200 not in statuses}
    assert unpassed <= FILES_THAT_ARE_NOT_THERE
