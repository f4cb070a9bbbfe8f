"""Profilers that are not ours: `python -m cProfile`, a debugger's, one that the profiled code starts by itself.

The interpreter has one place for a profiler in each thread, and hands it over without a word; from Python 3.12 on one
in each process, which it refuses to hand over. So ours looks first, and gives way.
"""

from __future__ import annotations

import cProfile
import sys
import threading
from typing import Any

import structlog

log = structlog.get_logger(__name__)
_monitoring: Any = getattr(sys, "monitoring", None)
"""Python 3.12 and newer"""
_told = threading.Event()


def begin(own: cProfile.Profile) -> bool:
    """Have `own` watch this thread; False where somebody else's does, which is logged once in a process."""
    is_free = sys.getprofile() is None
    try:
        if is_free:
            own.enable()
    except ValueError:  # Python 3.12 and newer: another thread's, or somebody else's
        is_free = False
    if not is_free and not _told.is_set():
        _told.set()
        log.warning("profile_tool_busy", problem="another profiler is at work here, so calls are not profiled by ours")
    return is_free


def is_watched_by(own: cProfile.Profile) -> bool:
    """Tell whether `own`, which began on this thread, still watches it: another one may have taken its place."""
    active: object = sys.getprofile()
    return _monitoring is not None or active is own


def end(own: cProfile.Profile) -> None:
    """Have `own` watch this thread no more, and leave alone who may have taken its place since."""
    if is_watched_by(own):
        own.disable()
        return
    log.warning("profile_cut_short", problem="what was profiled began a profiler of its own")
    # Disabled on the thread itself, it would end the other one; so would its own end, were it still enabled.
    elsewhere = threading.Thread(target=own.disable, name="profile-end")
    elsewhere.start()
    elsewhere.join()
