"""The worker's side of imports: attempt the next rows, tell the outcome, keep rows that a task's input carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection, Engine

from gm_service.config import ServiceSettings
from gm_service.orders.cycles import require_time_config
from gm_service.orders.imports import creating, ledger, rows
from gm_service.orders.imports.commands import CreateOrders, GetOutcome, OpenImport
from gm_service.orders.imports.ledger import Counts
from gm_service.orders.imports.outcome import End, end_of, result_of
from gm_service.orders.imports.rows import SubmittedRow
from gm_service.orders.imports.submissions import check_size
from shared.database import in_write
from shared.metrics.meters import Meters
from shared.metrics.table import IMPORT_ROWS, SERVICE


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where an import is, for the end of its run."""

    end: End
    counts: Counts
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ImportRuns:
    """What workers ask for."""

    engine: Engine
    settings: ServiceSettings
    meters: Meters = field(default_factory=lambda: Meters(SERVICE))

    def create_orders(self, command: CreateOrders) -> Counts:
        """Attempt the next rows; see `creating.create_orders`."""
        attempted = creating.create_orders(self.engine, command, self.settings.zone)
        self.meters.count(IMPORT_ROWS, attempted.created, state="created")
        self.meters.count(IMPORT_ROWS, attempted.failed, state="failed")
        return attempted.counts

    def get_outcome(self, command: GetOutcome) -> Outcome:
        """Return how the import ends as it stands, with the task's whole result.

        Raises:
            StaleRun, RuleRefused: the run has lost the task, or there is no such import.
        """

        def read(connection: Connection) -> Outcome:
            batch = creating.hold_import(connection, command)
            counts = ledger.count_rows(connection, batch.id, batch.total)
            outcomes = rows.list_outcomes(connection, batch.id)
            result = result_of(batch.file_name, counts, batch.version, outcomes)
            return Outcome(end_of(counts), counts, result)

        return in_write(self.engine, read)

    def open_import(self, command: OpenImport) -> int:
        """Keep the rows that a task's own input carries, and return the import's id; asked again it is the same.

        Raises:
            RuleRefused, TooLarge: it can't be taken as a whole.
        """
        submitted = [SubmittedRow(order) for order in command.order_data]
        check_size(submitted, self.settings.max_batch_rows)
        # Another run of the task may do so at the same moment.
        return creating.in_write_again(self.engine, lambda connection: _open(connection, command, submitted))


def _open(connection: Connection, command: OpenImport, submitted: list[SubmittedRow]) -> int:
    known = ledger.find_by_task(connection, command.station_id, command.task_id)
    if known is not None:
        # An import of an older version has only those rows in the ledger that were attempted, from the first on.
        first = len(rows.list_outcomes(connection, known.id))
        rows.insert_rows(connection, known.id, submitted[first:], first)
        return known.id
    require_time_config(connection, command.station_id, command.time_config_id)
    import_id = ledger.insert_import(
        connection,
        station_id=command.station_id,
        submission=None,
        task_id=command.task_id,
        time_config_id=command.time_config_id,
        file_name=command.file_name,
        sha256=None,
        total=len(submitted),
        titles=None,
    )
    rows.insert_rows(connection, import_id, submitted)
    return import_id
