"""What callers ask of gm_service's own endpoints for sign-in and tasks; the station is never among it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictStr

from shared.task_api.commands import Command, OneTask, SomeTasks, Status
from shared.web.fields import Key, Keys, RowIds, StationId, WholeNumber

MAX_LISTED = 1000
_Limit = Annotated[WholeNumber, Field(ge=1, le=MAX_LISTED)]
_Page = Annotated[WholeNumber, Field(ge=0, le=1_000_000)]


class SignIn(Command):
    """POST /session"""

    station_id: StationId
    username: Key
    password: Annotated[StrictStr, Field(min_length=1, max_length=256)]


class Nothing(Command):
    """An endpoint without parameters."""


class GetTask(OneTask):
    """GET /task/get, /async_task/get, /async_task/detail"""


class CloseTask(OneTask):
    """POST /async_task/close"""


class ListTasks(Command):
    """GET /task/list; `offset` is a page number from 0."""

    status: Status | None = None
    type: Annotated[WholeNumber, Field(ge=0, le=2)] | None = None
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
    """GET /pages/tasks; `task_ids` narrows it to the tasks whose progress the page follows."""

    offset: _Page = 0
    task_ids: RowIds | None = None
