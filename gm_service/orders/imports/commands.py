"""What callers ask of imports; the station is never among it, except where a worker asks."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from gm_service.orders.fields import FileName, TimeConfigId
from shared.errors import InvalidField
from shared.task_api.commands import Command
from shared.web import strict_json
from shared.web.fields import Key, RowId, StationId, Text, WholeNumber
from shared.web.uploads import Upload

MAX_CHUNK_ROWS = 2000
MAX_ROWS = 10_000_000
MAX_CODES = 10_000
MAX_CORRECTIONS = 10_000
RowIndex = Annotated[WholeNumber, Field(ge=0, lt=MAX_ROWS)]


def _from_json(value: Any) -> Any:
    try:
        return strict_json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError("it must be a JSON list") from error


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Rows(Command):
    """Orders to be created: as JSON, or as a file."""

    order_data: list[Any] | None = None
    """one element an order, kept as given; what is wrong with one fails that one alone"""
    file: Upload | None = None
    """.xlsx or .csv"""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.order_data is None) == (self.file is None):
            raise InvalidField(field="order_data", problem="order_data or file is required, and not both")
        return self


class CorrectedValue(Command):
    """A value in the place of the one that stands there."""

    index: RowIndex
    column: Annotated[Text, Field(min_length=1, max_length=128)]
    """as a check's reason names it"""
    value: Annotated[Text, Field(max_length=1000)]


_Corrections = Annotated[list[CorrectedValue], Field(max_length=MAX_CORRECTIONS)]


class CheckBatch(Rows):
    """POST /station/order/batch/check"""

    time_config_id: TimeConfigId
    file_name: FileName = ""
    corrections: Annotated[_Corrections | None, BeforeValidator(_from_json)] = None
    """beside a file they come as JSON text"""


class SubmitBatch(CheckBatch):
    """POST /station/order/batch/submit"""

    task_id: Key
    """the caller's own id for this submission"""


class OneImport(Command):
    """Names an import, by one of two ids."""

    task_id: Annotated[Key, BeforeValidator(_as_text)] | None = None
    """the id that its submission gave; where there is none, the platform's own task id"""
    platform_task_id: RowId | None = None
    """the platform's own task id and nothing else: a station may count its submissions 1, 2, 3 too"""

    @model_validator(mode="after")
    def _one_id(self) -> Self:
        if (self.task_id is None) == (self.platform_task_id is None):
            raise InvalidField(field="task_id", problem="task_id or platform_task_id is required, and not both")
        return self


class ListRows(OneImport):
    """GET /station/order/batch/rows; a page of rows in the order of the submission."""

    state: Annotated[Text, Field(pattern="^(waiting|created|failed|open)$")] | None = None
    """`open` is waiting or failed: what can be run again"""
    after: Annotated[WholeNumber, Field(ge=-1, lt=MAX_ROWS)] = -1
    """the last index of the page before"""
    limit: Annotated[WholeNumber, Field(ge=1, le=1000)] = 100


class AmendedRow(Command):
    """A row to be attempted again: as it was submitted last, or with `order` in its place."""

    index: RowIndex
    order: Any = None


class AmendBatch(OneImport):
    """POST /station/order/batch/amend: corrected rows as JSON, or as the edited file of failed rows."""

    rows: Annotated[list[AmendedRow], Field(min_length=1)] | None = None
    file: Upload | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.rows is None) == (self.file is None):
            raise InvalidField(field="rows", problem="rows or file is required, and not both")
        indexes = [row.index for row in self.rows or ()]
        if len(set(indexes)) != len(indexes):
            raise InvalidField(field="rows", problem="an index stands twice in the rows")
        return self


class ListedCode(Command):
    """A code that the station's orders may name."""

    code: Annotated[Text, Field(min_length=1, max_length=64)]
    name: Annotated[Text, Field(max_length=255)] = ""


class ListedGoods(ListedCode):
    """A code of goods."""

    unit: Annotated[Text, Field(max_length=16)] = ""


class PutCatalogue(Command):
    """POST /station/catalogue; codes that it doesn't name stay as they are."""

    goods: Annotated[list[ListedGoods], Field(max_length=MAX_CODES, default_factory=list)]
    buyers: Annotated[list[ListedCode], Field(max_length=MAX_CODES, default_factory=list)]


class RunKey(Command):
    """Names an import and the run of its task that asks."""

    import_id: RowId
    task_id: RowId
    run_count: Annotated[WholeNumber, Field(ge=1, le=2**31 - 1)]
    """the run's fencing token"""
    station_id: StationId


class CreateOrders(RunKey):
    """POST /no_login/station/order/batch/create; what a worker asks for again and again until no row waits."""

    limit: Annotated[WholeNumber, Field(ge=1, le=MAX_CHUNK_ROWS)]
    """rows to attempt"""


class GetOutcome(RunKey):
    """POST /no_login/station/order/batch/outcome"""


class OpenImport(Command):
    """POST /no_login/station/order/batch/open: keep the rows of a task whose input carries them itself."""

    task_id: RowId
    station_id: StationId
    time_config_id: TimeConfigId
    file_name: FileName = ""
    order_data: Annotated[list[Any], Field(min_length=1)]
