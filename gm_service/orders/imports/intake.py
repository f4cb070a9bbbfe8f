"""What the workflow `order_intake` asks about an import: what it would do, and how to export what it made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy.engine import Connection, Engine

from gm_service.config import ServiceSettings
from gm_service.orders.cycles import require_time_config
from gm_service.orders.imports import ledger, rows
from gm_service.orders.imports.judging import Scope, judge_rows
from gm_service.orders.imports.ledger import Counts, Import
from gm_service.orders.imports.validation import NewOrder
from gm_service.orders.query import ExportRequest, OrderQuery, QueryType
from gm_service.yongyou import DEFAULTS
from shared.database import in_read
from shared.errors import RuleRefused
from shared.task_api.commands import Command
from shared.web.fields import RowId, StationId

FORMAT = "yongyou"
_FIRST, _LAST = date(1970, 1, 2), date(2199, 12, 31)
"""every day that an order may have"""


class IntakeStep(Command):
    """POST /no_login/station/order/intake/*: names an import of a station."""

    import_id: RowId
    station_id: StationId


class IntakeExport(IntakeStep):
    """POST /no_login/station/order/intake/export_request"""

    language: Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class IntakeSteps:
    """What the workflow's handlers ask for; nothing is written."""

    engine: Engine
    settings: ServiceSettings

    def check(self, command: IntakeStep) -> Counts:
        """Return what an import would do with its rows: `created` are those that are, or would be.

        Raises:
            RuleRefused: the station has no such import.
        """

        def judge(connection: Connection) -> Counts:
            batch = _require_import(connection, command)
            cycle = require_time_config(connection, batch.station_id, batch.time_config_id)
            scope = Scope(batch.station_id, cycle, self.settings.zone, batch.task_id)
            attempted = ledger.count_rows(connection, batch.id, batch.total)
            verdicts = judge_rows(connection, scope, rows.list_waiting(connection, batch.id, batch.total))
            passed = sum(isinstance(verdict, NewOrder) for verdict in verdicts.values())
            failed = len(verdicts) - passed
            return Counts(batch.total, attempted.created + passed, attempted.failed + failed)

        return in_read(self.engine, judge)

    def export_request(self, command: IntakeExport) -> dict[str, Any]:
        """Return the input of a task that exports the orders of this import.

        Raises:
            RuleRefused: the station has no such import, or it has not run.
        """
        batch = in_read(self.engine, lambda connection: _require_import(connection, command))
        if batch.task_id is None:
            raise RuleRefused(problem="The import has not run.", problem_zh="该导入尚未运行。")
        query = OrderQuery(QueryType.ORDER_DATE, start_date=_FIRST, end_date=_LAST, task_id=batch.task_id)
        name = batch.file_name.rpartition(".")[0] or batch.file_name or f"import-{batch.id}"
        yongyou = self.settings.yongyou or DEFAULTS
        request = ExportRequest(
            station_id=batch.station_id,
            query=query,
            format=FORMAT,
            file_name=f"{name}-{FORMAT}.xlsx",
            language=command.language,
            yongyou=yongyou,
        )
        return {**request.to_json(), "yongyou": yongyou.to_json()}


def _require_import(connection: Connection, command: IntakeStep) -> Import:
    batch = ledger.find_by_id(connection, command.import_id)
    if batch is None or batch.station_id != command.station_id:
        raise RuleRefused(problem="The station has no such import.", problem_zh="该站点没有此导入。")
    return batch
