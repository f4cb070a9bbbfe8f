"""The station's side of imports: check, submit, amend, and look at rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from sqlalchemy.engine import Connection, Engine

from gm_service.config import ServiceSettings
from gm_service.orders.collaborators import Station, TaskDispatcher, task_url
from gm_service.orders.cycles import require_time_config
from gm_service.orders.imports import ledger, rows
from gm_service.orders.imports.amending import Amendment, amend_rows
from gm_service.orders.imports.attempting import failure
from gm_service.orders.imports.commands import AmendBatch, CheckBatch, OneImport, SubmitBatch
from gm_service.orders.imports.creating import in_write_again
from gm_service.orders.imports.files.reading import FileLimits
from gm_service.orders.imports.judging import Scope, judge_rows
from gm_service.orders.imports.ledger import Counts, Import
from gm_service.orders.imports.open_rows import MadeFile, make_open_rows
from gm_service.orders.imports.reader import ImportReader
from gm_service.orders.imports.row_reasons import RowError
from gm_service.orders.imports.rows import RowOutcome
from gm_service.orders.imports.submissions import FileFacts, Submission, read_corrections, read_submission
from gm_service.orders.imports.telling import ImportTeller
from gm_service.orders.imports.validation import NewOrder
from shared.database import in_read, in_write
from shared.errors import IdReused, ImportRunning, Language, TaskNotFound
from shared.task_api.client import TaskClient
from shared.task_api.models import ENDED, Task, TaskStatus, TaskType
from shared.web import strict_json
from shared.web.fields import MAX_ID

IMPORT_BUSINESS_ID = 2
_BUSINESS_NAME: dict[Language, str] = {"en": "Order import", "zh": "订单导入"}


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict of a pre-flight; nothing was written."""

    counts: Counts
    """`created` are those that would be"""
    lines: int
    amount: Decimal
    """of the orders that would be created"""
    failed: list[RowOutcome]
    file: FileFacts | None


@dataclass(frozen=True, slots=True)
class Amended:
    """What became of amended rows, and of their import."""

    task_id: int
    status: TaskStatus
    counts: Counts
    rows: list[RowOutcome]


@dataclass(frozen=True, slots=True)
class ImportService:
    """What the routes of imports call."""

    engine: Engine
    settings: ServiceSettings
    dispatcher: TaskDispatcher
    task_client: TaskClient
    teller: ImportTeller

    def check_batch(self, station: Station, command: CheckBatch) -> Checked:
        """Say what submitting it would do, row by row, without doing it.

        Raises:
            RuleRefused, TooLarge: it can't be taken as a whole.
            Unavailable: the database is away.
        """
        submission = read_submission(command, self._limits(), self.settings.max_batch_rows)

        def judge(connection: Connection) -> Checked:
            cycle = require_time_config(connection, station.id, submission.time_config_id)
            scope = Scope(station.id, cycle, self.settings.zone)
            verdicts = judge_rows(connection, scope, {i: row.order for i, row in enumerate(submission.rows)})
            passed = [verdict for verdict in verdicts.values() if isinstance(verdict, NewOrder)]
            failed = [
                failure(index, verdict, submission.rows[index].sheet_row)
                for index, verdict in sorted(verdicts.items())
                if isinstance(verdict, RowError)
            ]
            return Checked(
                Counts(len(verdicts), len(passed), len(failed)),
                lines=sum(len(order.lines) for order in passed),
                amount=sum((order.amount for order in passed), Decimal(0)),
                failed=failed,
                file=submission.file,
            )

        return in_read(self.engine, judge)

    def submit_batch(
        self, station: Station, command: SubmitBatch, language: Language, submitted_by: str | None = None
    ) -> str:
        """Give an import to the platform and return the address to ask for its result.

        Submitted again with the same id and content it is the same import.

        Raises:
            RuleRefused, TooLarge: the submission as a whole can't be taken.
            IdReused: the id stands for another submission.
            Unavailable: nothing was accepted.
        """
        batch = self.keep_batch(station, command.task_id, command)
        added = self.dispatcher.submit(
            station_id=station.id,
            task_name=self.settings.import_function,
            input={
                "import": "orders",
                "import_id": batch.id,
                "station_id": station.id,
                "time_config_id": batch.time_config_id,
                "file_name": batch.file_name,
                "total": batch.total,
                "sha256": batch.sha256,
            },
            user_task_id=command.task_id,
            type=TaskType.IMPORT,
            business_id=IMPORT_BUSINESS_ID,
            business_name=_BUSINESS_NAME[language],
            repeat=True,
            submitted_by=submitted_by,
            file_name=batch.file_name or None,
        )
        in_write(self.engine, lambda connection: ledger.note_task(connection, batch.id, added.task_id))
        return task_url(self.settings.public_url, added.task_id)

    def keep_batch(self, station: Station, key: str, command: SubmitBatch) -> Import:
        """Enter a submission in the ledger under an id of the station's, and leave it to others to have it run.

        Raises:
            RuleRefused, TooLarge: the submission as a whole can't be taken.
            IdReused: the id stands for another submission.
        """
        return self._keep(station, key, read_submission(command, self._limits(), self.settings.max_batch_rows))

    def amend_batch(self, station: Station, command: AmendBatch) -> Amended:
        """Attempt rows of an ended import again; its task's result and status follow.

        Sent again it changes nothing more. Rows that were created are never touched.

        Raises:
            TaskNotFound: the station has no such import.
            ImportRunning: it hasn't ended.
            InvalidField: it has no such row.
            RuleRefused, TooLarge: the file can't be taken as one of its failed rows.
            Unavailable: try again; what was attempted stays.
        """
        batch = self.find_import(station, command)
        task = self._require_task(station, batch)
        if task.status not in ENDED:
            raise ImportRunning()
        corrections = read_corrections(command, batch, task.task_id, self._limits())
        amendment = Amendment(batch, task.task_id, task.run_count, self.settings.zone)
        outcomes = amend_rows(self.engine, amendment, corrections)
        told = self.teller.tell(station.id, task.task_id, batch.id)
        counts = in_read(self.engine, lambda connection: ledger.count_rows(connection, batch.id, batch.total))
        return Amended(task.task_id, told.status, counts, outcomes)

    def make_open_rows(self, station: Station, named: OneImport, language: Language) -> MadeFile:
        """Return the failed rows of an import, and those not attempted, as a file to correct and upload again.

        Raises:
            TaskNotFound: the station has no such import.
        """
        batch = self.find_import(station, named)
        task = self._require_task(station, batch)
        found = ImportReader(self.engine).list_rows(batch, language, state="open")
        return make_open_rows(batch, task.task_id, found, language)

    def find_import(self, station: Station, named: OneImport) -> Import:
        """Return the station's import by the id of its submission, or by its task's.

        Raises:
            TaskNotFound: there is none.
        """
        found = in_read(self.engine, partial(_find_import, station_id=station.id, named=named))
        if found is None:
            raise TaskNotFound()
        return found

    def _keep(self, station: Station, key: str, submission: Submission) -> Import:
        """Enter the rows in the ledger before there is a task, so that no run ever meets an import without them."""
        sha256 = submission.sha256()
        # The same submission may come twice at the same moment.
        known = in_write_again(self.engine, _keeper(station.id, key, submission, sha256))
        if known.sha256 != sha256:
            raise IdReused(user_task_id=key)
        return known

    def _limits(self) -> FileLimits:
        return FileLimits(max_bytes=self.settings.max_batch_body_bytes)

    def _require_task(self, station: Station, batch: Import) -> Task:
        """Return the import's task; one that its submission had no time to note is looked for by its id."""
        if batch.task_id is not None:
            return self.task_client.get(batch.task_id, station_id=station.id, brief=True)
        task = self.task_client.get(user_task_id=batch.submission, station_id=station.id)
        if not _names_import(task, batch):  # the id was another task's, so the submission was refused
            raise TaskNotFound()
        in_write(self.engine, lambda connection: ledger.note_task(connection, batch.id, task.task_id))
        return task


def _find_import(connection: Connection, station_id: str, named: OneImport) -> Import | None:
    if named.platform_task_id is not None:
        return ledger.find_by_task(connection, station_id, named.platform_task_id)
    key = str(named.task_id)
    found = ledger.find_by_submission(connection, station_id, key)
    if found is None and key.isascii() and key.isdigit() and int(key) <= MAX_ID:
        return ledger.find_by_task(connection, station_id, int(key))
    return found


def _names_import(task: Task, batch: Import) -> bool:
    """Tell whether the task's input is that of this import."""
    try:
        given = strict_json.loads(task.input or "")
    except ValueError:
        return False
    return isinstance(given, dict) and given.get("import_id") == batch.id and task.type == TaskType.IMPORT


def _keeper(station_id: str, key: str, submission: Submission, sha256: str) -> Callable[[Connection], Import]:
    def keep(connection: Connection) -> Import:
        known = ledger.find_by_submission(connection, station_id, key)
        if known is not None:
            return known
        require_time_config(connection, station_id, submission.time_config_id)
        import_id = ledger.insert_import(
            connection,
            station_id=station_id,
            submission=key,
            time_config_id=submission.time_config_id,
            file_name=submission.file_name,
            sha256=sha256,
            total=len(submission.rows),
            titles=submission.titles,
        )
        rows.insert_rows(connection, import_id, submission.rows)
        found = ledger.find_by_id(connection, import_id)
        assert found is not None  # noqa: S101 it was just made
        return found

    return keep
