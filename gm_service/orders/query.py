"""What an export asks for, as a value that survives the journey through a task's JSON input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import Any

from gm_service.yongyou import DEFAULTS, YongyouSettings
from shared.errors import Language


class QueryType(IntEnum):
    """Which date of an order the range is about."""

    ORDER_DATE = 1
    """order time, whole days in the station's zone, both ends included"""
    OPERATING_CYCLE = 2
    """orders of one operating cycle, order time from start (included) to end (left out)"""
    RECEIVE_DATE = 3
    """receive date, both ends included"""


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Which orders are meant; the fields of the other query types are None."""

    query_type: QueryType
    start_date: date | None = None
    end_date: date | None = None
    time_config_id: str | None = None
    cycle_start_time: datetime | None = None
    """with offset"""
    cycle_end_time: datetime | None = None
    """with offset"""
    status: int | None = None
    search_text: str | None = None
    """part of the order number, the buyer's code or name, or a line's SKU code or name"""
    search_area: str | None = None
    """the whole geographic tag"""
    task_id: int | None = None
    """the import that created them"""

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; fields that are None are left out."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in given.items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> OrderQuery:
        """Rebuild what `to_json` returned.

        Raises:
            ValueError, TypeError: it is not such a query.
        """
        readers: dict[str, Callable[[Any], Any]] = {
            "query_type": QueryType,
            "start_date": date.fromisoformat,
            "end_date": date.fromisoformat,
            "cycle_start_time": datetime.fromisoformat,
            "cycle_end_time": datetime.fromisoformat,
        }
        return cls(**{name: readers[name](value) if name in readers else value for name, value in values.items()})


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Everything the bytes of an export depend on, beside the orders and the zone; the input of an export task."""

    station_id: str
    query: OrderQuery
    format: str
    """a name in profiles.PROFILES"""
    file_name: str
    """what people see"""
    language: Language
    """of the header and the labels"""
    yongyou: YongyouSettings = DEFAULTS
    """what the formats for U8 are filled with; no part of the input where it is as by default"""

    def to_json(self) -> dict[str, Any]:
        """Return the task input."""
        given = {} if self.yongyou == DEFAULTS else {"yongyou": self.yongyou.to_json()}
        return {
            "export": "orderdetail",
            "station_id": self.station_id,
            "query": self.query.to_json(),
            "format": self.format,
            "file_name": self.file_name,
            "language": self.language,
            **given,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ExportRequest:
        """Rebuild what `to_json` returned.

        Raises:
            KeyError, ValueError, TypeError, ArithmeticError, AttributeError: it is not such a request.
        """
        return cls(
            station_id=values["station_id"],
            query=OrderQuery.from_json(values["query"]),
            format=values["format"],
            file_name=values["file_name"],
            language=values.get("language", "en"),
            yongyou=YongyouSettings.from_json(values.get("yongyou", {})),
        )
