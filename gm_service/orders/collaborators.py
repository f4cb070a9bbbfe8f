"""What the use cases of orders are given: the station that asks, and what gives tasks to the platform."""

from __future__ import annotations

from typing import Any, Protocol

from shared.task_api.models import AddedTask


class Station(Protocol):
    """The station that asks, as sign-in knows it."""

    @property
    def id(self) -> str:
        """The tenant's id."""
        ...

    @property
    def export_threshold(self) -> int | None:
        """Its own limit of sync exports; None where the service's applies."""
        ...


class TaskDispatcher(Protocol):
    """What gives a task to the platform."""

    def submit(
        self,
        *,
        station_id: str,
        task_name: str,
        input: Any,
        user_task_id: str | None = None,
        type: int = ...,
        business_id: int = ...,
        business_name: str = ...,
        repeat: bool = ...,
        **options: Any,
    ) -> AddedTask:
        """Add a task and have it started.

        Raises:
            Unavailable, IdReused: nothing was accepted.
        """
        ...


def task_url(public_url: str, task_id: int) -> str:
    """Return where a station asks for its task's result."""
    return f"{public_url}/async_task/get?task_id={task_id}"
