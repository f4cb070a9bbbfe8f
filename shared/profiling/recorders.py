"""What watches a function while it runs: cProfile, which counts every call, or pyinstrument, which looks now and then.

A recorder is resumed and paused any number of times, as a generator is, on whatever thread goes on with it.
"""

from __future__ import annotations

import cProfile
import threading
from collections.abc import Sequence
from typing import Protocol, cast

from shared.profiling.pstat_tables import Place, Table, merge, subtract

SAMPLE_SECONDS = 0.005
"""not shorter than the step of the kernel's coarse clock, which costs least to read"""


class Recorder(Protocol):
    """Watches between `resume` and `pause`."""

    def resume(self) -> None:
        """Watch this thread from now on."""
        ...

    def pause(self) -> None:
        """Stop watching it; called on the thread that resumed."""
        ...

    def table(self) -> Table:
        """Return what was seen so far."""
        ...


class _Thread(threading.local):
    calls: cProfile.Profile | None = None
    """who counts the calls of this thread"""
    samples: SampleRecorder | None = None
    """who looks at its stack"""


_thread = _Thread()


class CallRecorder:
    """Counts and times every call of its thread.

    cProfile watches a thread once: a second one would end the first. So a nested recorder takes its part out of what
    the outer one saw meanwhile. A function that was on the stack already when the nested one began, as in a recursion,
    has its calls and own time there, and its total time in the outer profile alone. One that looks at the stack rests
    while calls are counted, for the same reason.
    """

    def __init__(self) -> None:
        self._own = cProfile.Profile()
        self._part: _Part | None = None
        self._rests: SampleRecorder | None = None
        self._taken: Table = {}

    def resume(self) -> None:
        """See `Recorder.resume`."""
        if _thread.calls is not None:
            self._part = _Part(_thread.calls)
            return
        self._rests = _thread.samples
        if self._rests is not None:
            self._rests.rest()
        _thread.calls = self._own
        self._own.enable()

    def pause(self) -> None:
        """See `Recorder.pause`."""
        if self._part is not None:
            self._taken = merge([self._taken, self._part.end()])
            self._part = None
            return
        self._own.disable()
        _thread.calls = None
        if self._rests is not None:
            self._rests.look()

    def table(self) -> Table:
        """See `Recorder.table`."""
        return merge([_seen(self._own), self._taken])


class SampleRecorder:
    """Looks at the stack every few milliseconds: its counts are samples, its times are the clock's.

    Within a recorder that counts calls it takes its part out of that one.
    """

    def __init__(self, interval_seconds: float = SAMPLE_SECONDS) -> None:
        from pyinstrument import Profiler  # noqa: PLC0415 nobody who is not profiled pays for it

        self._profiler = Profiler(interval=interval_seconds, async_mode="disabled")
        self._outer: SampleRecorder | None = None
        self._part: _Part | None = None
        self._taken: Table = {}

    def resume(self) -> None:
        """See `Recorder.resume`."""
        if _thread.calls is not None:
            self._part = _Part(_thread.calls)
            return
        self._outer, _thread.samples = _thread.samples, self
        self.look()

    def pause(self) -> None:
        """See `Recorder.pause`."""
        if self._part is not None:
            self._taken = merge([self._taken, self._part.end()])
            self._part = None
            return
        self.rest()
        _thread.samples = self._outer

    def look(self) -> None:
        """Go on looking."""
        self._profiler.start()

    def rest(self) -> None:
        """Look no more until told to."""
        if self._profiler.is_running:
            self._profiler.stop()

    def table(self) -> Table:
        """See `Recorder.table`."""
        session = self._profiler.last_session
        return merge([_fold(session.frame_records, session.start_call_stack) if session else {}, self._taken])


class _Part:
    """What a profile sees from now until the end."""

    def __init__(self, profile: cProfile.Profile) -> None:
        self._profile = profile
        self._before = _seen(profile)

    def end(self) -> Table:
        return subtract(_seen(self._profile), self._before)


def _seen(profile: cProfile.Profile) -> Table:
    profile.snapshot_stats()
    table = cast(Table, profile.stats)
    return {place: row for place, row in table.items() if "_lsprof" not in place[2]}


def _fold(samples: Sequence[tuple[Sequence[str], float]], start: Sequence[str]) -> Table:
    """Add up samples, each a stack from the root to the leaf and the seconds since the one before."""
    table: Table = {}
    names = {identifier.partition("\x01")[0] for identifier in start}
    for stack, seconds in samples:
        places = [_place(name) for name in (frame.partition("\x01")[0] for frame in stack) if name not in names]
        for depth, place in enumerate(places):
            own = seconds if depth == len(places) - 1 else 0.0
            again = place in places[:depth]
            caller = places[depth - 1] if depth else None
            _count(table, place, own, 0.0 if again else seconds, caller)
    return table


def _place(identifier: str) -> Place:
    function, file, line = (*identifier.split("\x00"), "", "0")[:3]
    if file == "<built-in>":
        return ("~", 0, f"<{function}>")  # as cProfile has them
    return (file, int(line or 0), function)


def _count(table: Table, place: Place, own: float, total: float, caller: Place | None) -> None:
    primitive, calls, own_before, total_before, callers = table.get(place, (0, 0, 0.0, 0.0, {}))
    table[place] = (primitive + 1, calls + 1, own_before + own, total_before + total, callers)
    if caller is not None:
        counts = callers.get(caller, (0, 0, 0.0, 0.0))
        callers[caller] = (counts[0] + 1, counts[1] + 1, counts[2] + own, counts[3] + total)
