"""The whole life of an import in one process: the service on a database, over the fake task API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from gm_service.orders.imports.commands import AmendBatch, CheckBatch, CreateOrders, GetOutcome, OneImport, SubmitBatch
from gm_service.orders.imports.runs import ImportRuns
from gm_service.orders.imports.service import Amended, Checked, ImportService
from gm_service.orders.imports.telling import ImportTeller
from shared.task_api.client import TaskClient
from shared.task_api.dispatch import Dispatcher
from shared.task_api.fake import FakeTaskApi
from shared.task_api.models import Task
from tests.support.order_rows import CYCLE, STATION
from tests.support.queues import RecordingQueue
from tests.support.service import make_service_settings


@dataclass(frozen=True)
class OneStation:
    """The station that asks."""

    id: str = STATION
    export_threshold: int | None = None


@dataclass
class Imports:
    """What a clerk and a worker do with imports."""

    engine: Engine
    api: FakeTaskApi = field(default_factory=FakeTaskApi)
    station: OneStation = field(default_factory=OneStation)

    def __post_init__(self) -> None:
        settings = make_service_settings(timezone="Asia/Shanghai")
        self.tasks = TaskClient(self.api)
        self.teller = ImportTeller(self.engine, self.tasks, "en")
        dispatcher = Dispatcher(self.tasks, RecordingQueue(), "gm_task")
        self.service = ImportService(self.engine, settings, dispatcher, self.tasks, self.teller)
        self.runs = ImportRuns(self.engine, settings)

    def check(self, orders: list[Any]) -> Checked:
        """Do what /station/order/batch/check does."""
        return self.service.check_batch(self.station, CheckBatch(time_config_id=CYCLE.id, order_data=orders))

    def submit(self, orders: list[Any], key: str = "up-1", **changes: Any) -> int:
        """Submit orders and return the task's id."""
        command = SubmitBatch(task_id=key, **{"time_config_id": CYCLE.id, "order_data": orders, **changes})
        return int(self.service.submit_batch(self.station, command, "en").rpartition("=")[2])

    def run(
        self, task_id: int, *, rows: int = 1000, calls: int | None = 1, finish: bool = True, status: int | None = None
    ) -> Task:
        """Do what the worker does: attempt the next `rows` in each of some calls (None: to the last row) and end."""
        run = self.tasks.start(task_id)
        key = {"import_id": self.import_id(task_id), "task_id": task_id, "run_count": run.run_count}
        key |= {"station_id": self.station.id}
        made = 0
        while self.runs.create_orders(CreateOrders(**key, limit=rows)).waiting and (made := made + 1) != calls:
            pass
        if finish:
            outcome = self.runs.get_outcome(GetOutcome(**key))
            end = {"reason": "why", "reason_code": outcome.end.reason_code}
            self.tasks.finish(
                task_id, status=status or outcome.end.status, result=outcome.result, run_count=run.run_count, **end
            )
        return self.tasks.get(task_id)

    def amend(self, task_id: int | str, rows: list[dict[str, Any]]) -> Amended:
        """Do what /station/order/batch/amend does."""
        return self.service.amend_batch(self.station, AmendBatch(task_id=str(task_id), rows=rows))

    def import_id(self, task_id: int) -> int:
        """Return the ledger's id of a task's import."""
        return self.service.find_import(self.station, OneImport(platform_task_id=task_id)).id
