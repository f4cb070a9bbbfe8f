"""Who caused what is happening now: the request id and task id that travel from browser to worker and back."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

REQUEST_ID_HEADER = "X-Request-Id"
_SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def new_id() -> str:
    """Return a random id of 32 hexadecimal digits."""
    return uuid.uuid4().hex


def accept_request_id(offered: str | None) -> str:
    """Take the caller's id when it is safe to log and to pass on, else make one."""
    if offered and _SAFE_ID.fullmatch(offered):
        return offered
    return new_id()


def current_request_id() -> str | None:
    """Return the id bound at the door of this request or run, None outside of both."""
    bound = structlog.contextvars.get_contextvars().get("request_id")
    return str(bound) if bound else None


@contextmanager
def bound(**facts: object) -> Iterator[None]:
    """Bind facts (`request_id`, `task_id` ...) to every log line written inside the block."""
    with structlog.contextvars.bound_contextvars(**facts):
        yield
