"""What callers ask of gm_service's own endpoints for sign-in and tasks; the station is never among it."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StrictStr, model_validator

from shared.task_api.commands import Command, Status
from shared.web.fields import Key, Keys, RowId, RowIds, StationId, WholeNumber

MAX_LISTED = 1000
_Limit = Annotated[WholeNumber, Field(ge=1, le=MAX_LISTED)]
_Page = Annotated[WholeNumber, Field(ge=0, le=1_000_000)]


def _not_empty(ids: list[Any] | None) -> list[Any] | None:
    if ids is not None and not ids:
        raise ValueError("it must not be empty")
    return ids


class SignIn(Command):
    """POST /session"""

    station_id: StationId
    username: Key
    password: Annotated[StrictStr, Field(min_length=1, max_length=256)]


class Nothing(Command):
    """An endpoint without parameters."""


class TaskKey(Command):
    """Names one task of the caller's station: by task_id, or by user_task_id."""

    task_id: RowId | None = None
    user_task_id: Key | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.task_id is None and self.user_task_id is None:
            raise ValueError("task_id or user_task_id is required")
        return self


class GetTask(TaskKey):
    """GET /task/get, /async_task/get, /async_task/detail"""


class CloseTask(TaskKey):
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


class ClearShow(Command):
    """POST /task/clear_show"""

    task_ids: Annotated[RowIds | None, AfterValidator(_not_empty)] = None
    user_task_ids: Annotated[Keys | None, AfterValidator(_not_empty)] = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.task_ids is None and self.user_task_ids is None:
            raise ValueError("task_ids or user_task_ids is required")
        return self


class ListFailedRows(Command):
    """GET /pages/failed_rows"""

    task_id: RowId


class ListCentre(Command):
    """GET /pages/tasks; `task_ids` narrows it to the tasks whose progress the page follows."""

    offset: _Page = 0
    task_ids: RowIds | None = None
