"""The two lanes of a queue: the base lane, and the grey one of a release that is being tried beside it.

A lane is a broker queue of its own, so that a worker hears the bells of its lane alone.
"""

from __future__ import annotations

GREY = "grey"
"""the lane of the release being tried; the base lane has no name (None)"""
_GREY_ENDING = f".{GREY}"


def rung_queue(queue: str, lane: str | None) -> str:
    """Return the broker queue that is rung for a task of `queue` in `lane`."""
    return queue + _GREY_ENDING if lane == GREY else queue


def base_queue(rung: str) -> str:
    """Return the queue whose lane the broker queue `rung` is."""
    return rung.removesuffix(_GREY_ENDING)
