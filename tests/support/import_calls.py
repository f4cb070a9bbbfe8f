"""Imports over HTTP, as a station's callers and the worker ask for them."""

from __future__ import annotations

from typing import Any

from gm_service.orders import store
from gm_service.orders.models import TimeConfig
from shared.database import in_write
from shared.web import strict_json
from tests.support.service import Caller, Service

BATCH = "/station/order/batch/"
NO_LOGIN = "/no_login/station/order/batch/"


def submission(*orders: Any, **changes: Any) -> dict[str, Any]:
    body = {"task_id": "up-1", "time_config_id": "whole-day", "order_data": list(orders), "file_name": "一.xlsx"}
    return {**body, **changes}


def submit(caller: Caller, *orders: Any, **changes: Any) -> int:
    answer = caller.post(BATCH + "submit", **submission(*orders, **changes)).get_json()
    return int(answer["data"]["task_url"].rpartition("=")[2])


def ask(service: Service, verb: str, key: str | None = None, **body: Any) -> Any:
    """Ask as the worker does."""
    headers = {"X-Auth-Key": service.settings.accepted_keys()[0] if key is None else key}
    return service.app.test_client().post(NO_LOGIN + verb, json=body, headers=headers)


def run(service: Service, task_id: int, station_id: str = "S001") -> None:
    """Run an import to its end as the worker does."""
    started = service.tasks.start(task_id)
    import_id = ledger_id(started.input)
    key = {"import_id": import_id, "task_id": task_id, "run_count": started.run_count, "station_id": station_id}
    ask(service, "create", limit=500, **key)
    outcome = ask(service, "outcome", **key).get_json()["data"]
    service.tasks.finish(task_id, run_count=started.run_count, **outcome)


def ledger_id(task_input: str | None) -> int:
    assert task_input is not None
    return int(strict_json.loads(task_input)["import_id"])


def add_cycle(service: Service) -> None:
    """Give the first station an operating cycle."""
    cycle = TimeConfig("whole-day", "Whole day", "06:00", "06:00")
    in_write(service.engine, lambda c: store.insert_time_configs(c, "S001", [cycle]))
