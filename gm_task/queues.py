"""The queue table: adding a queue is one line here, and its name in the business project's `GM_TASK_QUEUE`.

Each is direct; its exchange and routing key have its name (shared.broker.settings.make_queue).
"""

from __future__ import annotations

QUEUES: tuple[str, ...] = (
    "gm_task",  # what gm_service dispatches by default
)


class UnknownQueue(ValueError):
    """A worker was told to serve a queue that is not in the table."""


def choose(wanted: list[str]) -> tuple[str, ...]:
    """Return the queues that a worker serves: all, or those `wanted`.

    Raises:
        UnknownQueue: naming the first that is not in the table.
    """
    for name in wanted:
        if name not in QUEUES:
            raise UnknownQueue(f"The queue {name} is not in gm_task/queues.py; it has: {', '.join(QUEUES)}.")
    return tuple(wanted) or QUEUES
