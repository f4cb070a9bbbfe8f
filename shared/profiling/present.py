"""Which session watches this thread, and what must be ready before a first one begins; imports next to nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.profiling.session import Session

HEADER = "X-Profile"
"""the way, of `shared.profiling.ways`"""
KEY_HEADER = "X-Profile-Key"
PARENT_HEADER = "X-Profile-Parent"
"""the record of the request or run that calls"""
PROFILED_RUN = "GM_PROFILE_RUN"
"""the variable that tells a script of the profiled run that started it, as JSON"""
_current: ContextVar[Session | None] = ContextVar("gm_profile_session", default=None)
_preparations: list[Callable[[], None]] = []
_prepared = threading.Event()


def current_session() -> Session | None:
    """Return the session of this thread's request or run."""
    return _current.get()


def headers_to_pass() -> dict[str, str]:
    """Return the headers by which the calls of a profiled request or run are profiled with it; none outside of one."""
    session = _current.get()
    if session is None or not session.key:
        return {}
    # Counting all objects before and after takes far longer than most calls, of which a run makes many.
    way = "ledger" if session.subject.way == "memory" else session.subject.way
    return {HEADER: way, KEY_HEADER: session.key, PARENT_HEADER: session.id}


def watch_by(session: Session | None) -> None:
    """Have `session` watch this thread's request or run from now on."""
    _current.set(session)


def when_first_profiled(prepare: Callable[[], None]) -> None:
    """Have `prepare` called before the sessions of this process, at once where there was one.

    It is called more than once.
    """
    if prepare not in _preparations:
        _preparations.append(prepare)
    if _prepared.is_set():
        prepare()


def prepare_all() -> None:
    """Make ready for a session."""
    _prepared.set()
    for prepare in _preparations:
        prepare()
