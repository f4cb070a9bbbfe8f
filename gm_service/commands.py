"""What callers ask of gm_service's own endpoints for sign-in and tasks; the station is never among it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, StrictStr, model_validator

from shared.profiling.ways import ProfileWay
from shared.task_api.commands import Command, OneTask, SomeTasks, Status
from shared.web.fields import Day, Key, Keys, RowId, RowIds, StationId, Text, WholeNumber

MAX_LISTED = 1000
MAX_CENTRE_ROWS = 200
_STATES: dict[str, dict[str, Any]] = {
    "active": {"active": True},
    "ended": {"active": False},
    "finished": {"status": 3},
    "partly": {"status": 4},
    "failed": {"status": 5},
}
TypeOfTask = Annotated[WholeNumber, Field(ge=0, le=2)]
_Limit = Annotated[WholeNumber, Field(ge=1, le=MAX_LISTED)]
_Page = Annotated[WholeNumber, Field(ge=0, le=1_000_000)]


class SignIn(Command):
    """POST /session"""

    station_id: StationId
    username: Key
    password: Annotated[StrictStr, Field(min_length=1, max_length=256)]


class EnterAsOperator(Command):
    """POST /pages/operator"""

    key: Annotated[Text, Field(min_length=1, max_length=256)]


class Nothing(Command):
    """An endpoint without parameters."""


class GetTask(OneTask):
    """GET /task/get, /async_task/get, /async_task/detail"""


class ProfileTask(OneTask):
    """POST /pages/profile"""

    way: ProfileWay = "cprofile"


class GetProfileReport(OneTask):
    """GET /pages/profile_report"""

    record: Key


class CloseTask(OneTask):
    """POST /async_task/close"""


class ListTasks(Command):
    """GET /task/list; `offset` is a page number from 0."""

    status: Status | None = None
    type: TypeOfTask | None = None
    limit: _Limit | None = None
    """10 where it is not given, or as many as there are ids"""
    offset: _Page = 0
    task_ids: RowIds | None = None
    user_task_ids: Keys | None = None

    @property
    def page_size(self) -> int:
        """Return the limit; somebody who names twenty tasks wants twenty, not the first ten."""
        named = len(self.task_ids or []) + len(self.user_task_ids or [])
        return self.limit or min(named, MAX_LISTED) or 10


class ListAsyncTasks(Command):
    """GET /async_task/list; `offset` is a page number from 0."""

    status: Status | None = None
    limit: _Limit = 10
    offset: _Page = 0


class ClearShow(SomeTasks):
    """POST /task/clear_show"""


class ListCentre(Command):
    """GET /pages/tasks; `task_ids` narrows it to the tasks whose progress the page follows.

    Parameters with an empty value count as not given: filters that are not set come like that.
    """

    state: Annotated[StrictStr, Field(pattern="^(active|ended|finished|partly|failed)$")] | None = None
    type: TypeOfTask | None = None
    text: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    since: Day | None = None
    until: Day | None = None
    """the last day"""
    before_id: RowId | None = None
    """the oldest task of the page before"""
    limit: Annotated[WholeNumber, Field(ge=1, le=MAX_CENTRE_ROWS)] = 100
    task_ids: RowIds | None = None

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, values: Any) -> Any:
        return {name: value for name, value in values.items() if value != ""} if isinstance(values, dict) else values

    def filters(self, zone: ZoneInfo) -> dict[str, Any]:
        """Return the fields of `shared.task_api.commands.ListTasks` that it comes to; days are those of `zone`."""
        return {
            **(_STATES[self.state] if self.state else {}),
            "type": self.type,
            "text": self.text,
            "since": _midnight(self.since, zone),
            "until": _midnight(self.until + timedelta(days=1), zone) if self.until else None,
            "before_id": self.before_id,
            "task_ids": self.task_ids,
            "limit": len(self.task_ids) if self.task_ids else self.limit,
        }


def _midnight(day: date | None, zone: ZoneInfo) -> str | None:
    return datetime.combine(day, time(), zone).isoformat() if day else None
