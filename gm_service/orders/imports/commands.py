"""What callers ask of imports; the station is never among it, except where a worker asks."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from gm_service.orders.fields import FileName, TimeConfigId
from shared.errors import InvalidField
from shared.task_api.commands import Command
from shared.web.fields import Key, RowId, StationId, WholeNumber

MAX_CHUNK_ROWS = 2000


class SubmitBatch(Command):
    """POST /station/order/batch/submit"""

    task_id: Key
    """the caller's own id for this submission"""
    time_config_id: TimeConfigId
    order_data: list[Any]
    """one element an order, kept as given; what is wrong with one fails that one alone, later"""
    file_name: FileName = ""


class ChunkRow(Command):
    """One row of a chunk: its place in the submitted list, and what stood there."""

    index: Annotated[WholeNumber, Field(ge=0, le=10_000_000)]
    order: Any


class CreateOrders(Command):
    """POST /no_login/station/order/batch/create; what a worker sends for a chunk of an import."""

    task_id: RowId
    run_count: Annotated[WholeNumber, Field(ge=1, le=2**31 - 1)]
    """the run's fencing token"""
    station_id: StationId
    time_config_id: TimeConfigId
    file_name: FileName = ""
    total: Annotated[WholeNumber, Field(ge=1, le=10_000_000)]
    """rows of the whole import"""
    rows: Annotated[list[ChunkRow], Field(min_length=1, max_length=MAX_CHUNK_ROWS)]

    @model_validator(mode="after")
    def _indexes_fit(self) -> Self:
        indexes = [row.index for row in self.rows]
        if len(set(indexes)) != len(indexes):
            raise InvalidField(field="rows", problem="an index stands twice in one chunk")
        if max(indexes) >= self.total:
            raise InvalidField(field="rows", problem=f"an index is not below total ({self.total})")
        return self
