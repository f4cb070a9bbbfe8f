"""What callers ask of exports; the station is never among it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from gm_service.orders.fields import TimeConfigId
from gm_service.orders.models import OrderStatus
from gm_service.orders.query import OrderQuery, QueryType
from shared.errors import InvalidField
from shared.task_api.commands import Command
from shared.web.fields import Day, Moment, Text, WholeNumber, within_range

MAX_RANGE_DAYS = 3660


class ExportOrders(Command):
    """GET /station/sales_analysis/orderdetail; which dates are needed depends on `query_type`.

    Parameters with an empty value count as not given: a form's empty fields come like that.
    """

    query_type: Annotated[WholeNumber, Field(ge=1, le=3)]
    start_date: Day | None = None
    end_date: Day | None = None
    time_config_id: TimeConfigId | None = None
    cycle_start_time: Moment | None = None
    cycle_end_time: Moment | None = None
    format: Annotated[Text, Field(max_length=32)] = "house"
    status: Annotated[WholeNumber, Field(ge=min(OrderStatus), le=max(OrderStatus))] | None = None
    search_text: Annotated[Text, Field(max_length=100)] | None = None
    search_area: Annotated[Text, Field(max_length=64)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, values: Any) -> Any:
        return {name: value for name, value in values.items() if value != ""} if isinstance(values, dict) else values

    @field_validator("cycle_start_time", "cycle_end_time")
    @classmethod
    def _sane_moment(cls, moment: datetime | None) -> datetime | None:
        if moment is not None:
            within_range(moment.date())
        return moment

    @model_validator(mode="after")
    def _condition_holds(self) -> Self:
        names = self._range_names()
        for name in names:
            if getattr(self, name) is None:
                raise InvalidField(field=name, problem=f"it is required for query_type {self.query_type}")
        return self

    def to_query(self, zone: ZoneInfo) -> OrderQuery:
        """Return the query; times without offset are read in `zone`, dates of other query types are dropped.

        Raises:
            InvalidField: the range ends before it begins, or is too long.
        """
        query_type = QueryType(self.query_type)
        start_name, end_name = self._range_names()[-2:]
        start, end = _aware(getattr(self, start_name), zone), _aware(getattr(self, end_name), zone)
        if end < start:
            raise InvalidField(field=end_name, problem=f"it must not be before {start_name}")
        if end - start > timedelta(days=MAX_RANGE_DAYS):
            raise InvalidField(field=end_name, problem=f"it may be at most {MAX_RANGE_DAYS} days after {start_name}")
        by_cycle = query_type is QueryType.OPERATING_CYCLE
        return OrderQuery(
            query_type=query_type,
            time_config_id=self.time_config_id if by_cycle else None,
            status=self.status,
            search_text=self.search_text,
            search_area=self.search_area,
            **{start_name: start, end_name: end},
        )

    def _range_names(self) -> tuple[str, ...]:
        if self.query_type == QueryType.OPERATING_CYCLE:
            return ("time_config_id", "cycle_start_time", "cycle_end_time")
        return ("start_date", "end_date")


def _aware(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=zone)
    return value
