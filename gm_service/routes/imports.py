"""The whole life of an import: check it, submit it, look at its rows, correct them and run them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g
from pydantic import BaseModel

from gm_service.auth import Caller
from gm_service.commands import Nothing
from gm_service.config import ServiceSettings
from gm_service.job_api import PROGRAM
from gm_service.order_intake import OrderIntake
from gm_service.orders.collaborators import Station
from gm_service.orders.imports.commands import AmendBatch, CheckBatch, ListRows, OneImport, SubmitBatch
from gm_service.orders.imports.files.template import write_template
from gm_service.orders.imports.reader import ImportReader
from gm_service.orders.imports.rows import RowOutcome
from gm_service.orders.imports.service import ImportService
from gm_service.routes.downloads import CONTENT_TYPES, content_disposition
from gm_service.routes.rendering import refuse_as_a_page, speak_as_the_page
from shared.envelope import Envelope, success
from shared.errors import Language
from shared.task_api.models import TaskStatus
from shared.web.params import takes

_TEMPLATE_NAMES: dict[Language, str] = {"en": "order import template.xlsx", "zh": "订单导入模板.xlsx"}


class RowData(BaseModel):
    """What became of one row; fields that it doesn't have are left out."""

    index: int
    """place in the submission, from 0"""
    state: str
    """waiting, created or failed"""
    attempt: int
    """how often it was tried"""
    order_id: int | None = None
    sheet_row: int | None = None
    """place in the clerk's file, from 1"""
    code: str | None = None
    """why it failed, for machines"""
    column: str | None = None
    value: str | None = None
    reason: str | None = None
    """why it failed, in the reader's language"""


class CountsData(BaseModel):
    """How many rows are in each state."""

    total: int
    created: int
    failed: int
    not_attempted: int


class FileData(BaseModel):
    """What was made of a file."""

    kind: str
    encoding: str | None
    sheet_name: str | None
    other_sheets: list[str]
    """that were not read"""
    ignored_columns: list[str]
    """titles that mean nothing to an import"""


class CheckData(CountsData):
    """The verdict of a pre-flight; `created` are the rows that would be."""

    lines: int
    amount: str
    """what the orders that would be created are worth"""
    rows: list[RowData]
    """the rows that would fail"""
    file: FileData | None
    """what was made of the file, where one came"""


class CheckAnswer(Envelope[CheckData]):
    """What submitting it would do."""


class SubmitData(BaseModel):
    """Where to ask for an import."""

    task_url: str


class SubmitAnswer(Envelope[SubmitData]):
    """An import that was taken."""


class IntakeData(BaseModel):
    """Where to ask for a job."""

    job_id: int
    job_url: str


class IntakeAnswer(Envelope[IntakeData]):
    """A workflow job that was started."""


class AmendData(CountsData):
    """What became of amended rows."""

    task_id: int
    status: TaskStatus
    rows: list[RowData]


class AmendAnswer(Envelope[AmendData]):
    """The new state of those rows."""


class ShownRowData(RowData):
    """A row with what was submitted."""

    order: Any
    cells: list[list[Any]] | None


class RowsAnswer(Envelope[list[ShownRowData]]):
    """A page of rows, in the order of the submission."""


def imports_routes(
    imports: ImportService,
    intake: OrderIntake,
    reader: ImportReader,
    settings: ServiceSettings,
    require_caller: Callable[[], Caller],
) -> APIBlueprint:
    """Return the routes; `require_caller` tells who asks, or raises."""

    def require_station() -> Station:
        return require_caller().station

    routes = APIBlueprint("imports", __name__, url_prefix="/station/order/batch", tag="Imports")
    routes.before_request(speak_as_the_page)
    routes.after_request(partial(refuse_as_a_page, cookie_secure=settings.cookie_secure))

    @routes.before_request
    def _signed_in() -> None:
        require_station()  # before the parameters are read: strangers learn nothing of them

    @routes.post("/check")
    @takes(CheckBatch, answers=CheckAnswer, max_body="max_batch_body_bytes")
    def check_batch(command: CheckBatch) -> dict[str, Any]:
        """Say which rows of a list or a file would fail, and why; nothing is written."""
        checked = imports.check_batch(require_station(), command)
        facts = {
            "lines": checked.lines,
            "amount": f"{checked.amount:.2f}",
            "file": asdict(checked.file) if checked.file else None,
        }
        return success({**checked.counts.to_json(), **facts, "rows": _told(checked.failed, g.language)})

    @routes.post("/submit")
    @takes(SubmitBatch, answers=SubmitAnswer, max_body="max_batch_body_bytes")
    def submit_batch(command: SubmitBatch) -> dict[str, Any]:
        """Submit a list or a file of orders to be created."""
        caller = require_caller()
        username = caller.person.username if caller.person else None
        return success({"task_url": imports.submit_batch(caller.station, command, g.language, username)})

    @routes.post("/intake")
    @takes(SubmitBatch, answers=IntakeAnswer, max_body="max_batch_body_bytes")
    def take_in(command: SubmitBatch) -> dict[str, Any]:
        """Check, import and export a list or a file of orders as one workflow job."""
        caller = require_caller()
        operator = caller.person.username if caller.person else PROGRAM
        job_id = intake.start(caller.station, command, g.language, operator)
        return success({"job_id": job_id, "job_url": f"/xingqiao/get_job_detail?job_id={job_id}"})

    @routes.post("/amend")
    @takes(AmendBatch, answers=AmendAnswer, max_body="max_batch_body_bytes")
    def amend_batch(command: AmendBatch) -> dict[str, Any]:
        """Run failed rows, and rows not attempted, of an ended import again, as corrected; created ones stay."""
        amended = imports.amend_batch(require_station(), command)
        facts = {"task_id": amended.task_id, "status": int(amended.status), **amended.counts.to_json()}
        return success({**facts, "rows": _told(amended.rows, g.language)})

    @routes.get("/rows")
    @takes(ListRows, answers=RowsAnswer, location="query")
    def list_rows(command: ListRows) -> dict[str, Any]:
        """List rows of an import with what became of them."""
        batch = imports.find_import(require_station(), command)
        page = reader.list_rows(batch, g.language, state=command.state, after=command.after, limit=command.limit)
        return success([asdict(row) for row in page])

    @routes.get("/open_rows")
    @takes(OneImport, location="query")
    def download_open_rows(command: OneImport) -> Response:
        """Download the failed rows, and those not attempted, as a file to correct and upload to /amend."""
        made = imports.make_open_rows(require_station(), command, g.language)
        return _as_file(made.name, made.content)

    @routes.get("/template")
    @takes(Nothing, location="query")
    def download_template(command: Nothing) -> Response:  # noqa: ARG001 refuses parameters, has none
        """Download an empty file with every column that an import reads."""
        return _as_file(_TEMPLATE_NAMES[g.language], write_template(g.language))

    return routes


def _as_file(name: str, content: bytes) -> Response:
    response = Response(content, content_type=CONTENT_TYPES[".xlsx"])
    response.headers["Content-Disposition"] = content_disposition(name)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _told(outcomes: list[RowOutcome], language: Language) -> list[dict[str, Any]]:
    """Return the rows with their reasons in one language."""
    rows = []
    for outcome in outcomes:
        row = outcome.to_json()
        chinese = row.pop("reason_zh", None)
        rows.append({**row, "reason": chinese} if chinese and language == "zh" else row)
    return rows
