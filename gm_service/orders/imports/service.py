"""The use cases of a station's orders that aren't exports: submit an import, create its orders, list its cycles."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Engine

from gm_service.config import ServiceSettings
from gm_service.orders import store
from gm_service.orders.collaborators import Station, TaskDispatcher, task_url
from gm_service.orders.cycles import require_time_config
from gm_service.orders.imports import creating
from gm_service.orders.imports.commands import CreateOrders, SubmitBatch
from gm_service.orders.imports.ledger import RowOutcome
from gm_service.orders.models import TimeConfig
from shared.database import in_read
from shared.errors import Language
from shared.task_api.models import TaskType

IMPORT_BUSINESS_ID = 2
_BUSINESS_NAME: dict[Language, str] = {"en": "Order import", "zh": "订单导入"}


@dataclass(frozen=True, slots=True)
class OrderService:
    """What the routes of orders call."""

    engine: Engine
    settings: ServiceSettings
    dispatcher: TaskDispatcher

    def submit_batch(self, station: Station, command: SubmitBatch, language: Language) -> str:
        """Give an import to the platform and return the address to ask for its result.

        Submitted again with the same id and content it is the same import.

        Raises:
            RuleRefused, TooLarge: the submission as a whole can't be taken.
            IdReused: the id stands for another submission.
            Unavailable: nothing was accepted.
        """
        creating.check_batch(command.order_data, self.settings.max_batch_rows)
        in_read(self.engine, lambda c: require_time_config(c, station.id, command.time_config_id))
        added = self.dispatcher.submit(
            station_id=station.id,
            task_name=self.settings.import_function,
            input={
                "import": "orders",
                "station_id": station.id,
                "time_config_id": command.time_config_id,
                "file_name": command.file_name,
                "order_data": command.order_data,
            },
            user_task_id=command.task_id,
            type=TaskType.IMPORT,
            business_id=IMPORT_BUSINESS_ID,
            business_name=_BUSINESS_NAME[language],
            repeat=True,
        )
        return task_url(self.settings.public_url, added.task_id)

    def list_time_configs(self, station: Station) -> list[TimeConfig]:
        """Return the station's operating cycles."""
        return in_read(self.engine, lambda connection: store.list_time_configs(connection, station.id))

    def create_orders(self, command: CreateOrders) -> list[RowOutcome]:
        """Create the orders of one chunk of an import; see `creating.create_orders`."""
        return creating.create_orders(self.engine, command, self.settings.zone)
