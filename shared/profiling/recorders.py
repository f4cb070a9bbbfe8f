"""What watches a function while it runs: cProfile, which counts every call, or a thread that looks now and then.

A recorder is resumed and paused any number of times, as a generator is, on whatever thread goes on with it.
"""

from __future__ import annotations

import cProfile
import sys
import threading
import time
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Protocol, cast

import structlog

from shared.profiling import profilers
from shared.profiling.pstat_tables import Place, Table, merge, subtract

log = structlog.get_logger(__name__)
SAMPLE_SECONDS = 0.03
"""each look makes the watched thread wait for the interpreter's lock: every 5 ms cost more than a twentieth"""
_SEPARATING_SECONDS = 1.0
_TURN_SECONDS = 0.0001
"""shorter ones cost more than they tell"""
Stack = tuple[CodeType, ...]


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
    profile: cProfile.Profile | None = None
    """who counts the calls of this thread"""


_thread = _Thread()


class CallRecorder:
    """Counts and times every call of its thread, unless a profiler that is not ours does so already.

    cProfile watches a thread once: a second one would end the first. So a nested recorder takes its part out of what
    the outer one saw meanwhile. A function that was on the stack already when the nested one began, as in a recursion,
    has its calls and own time there, and its total time in the outer profile alone.

    Taking a part out costs milliseconds, and a generator has a part for each of its steps: once that has taken more
    than a second, and more than half of the time, the rest of the steps is in the outer profile alone.
    """

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._spent = 0.0
        self._is_cut = False
        self._own = cProfile.Profile()
        self._outer: cProfile.Profile | None = None
        self._replaced: cProfile.Profile | None = None
        self._before: Table = {}
        self._taken: Table = {}

    def resume(self) -> None:
        """See `Recorder.resume`."""
        known = _thread.profile
        self._outer = known if known is not None and profilers.is_watched_by(known) else None
        if self._outer is not None:
            self._look(self._outer)
        elif profilers.begin(self._own):
            self._replaced, _thread.profile = known, self._own

    def pause(self) -> None:
        """See `Recorder.pause`."""
        if self._outer is not None:
            self._take(self._outer)
        elif _thread.profile is self._own:
            profilers.end(self._own)
            _thread.profile = self._replaced

    def _look(self, outer: cProfile.Profile) -> None:
        if not self._is_cut:
            began = time.perf_counter()
            self._before = _seen(outer)
            self._spent += time.perf_counter() - began

    def _take(self, outer: cProfile.Profile) -> None:
        if self._is_cut:
            return
        began = time.perf_counter()
        self._taken = merge([self._taken, subtract(_seen(outer), self._before)])
        now = time.perf_counter()
        self._spent += now - began
        if self._spent > max(_SEPARATING_SECONDS, (now - self._began) / 2):
            self._is_cut = True
            log.warning("profile_cut_short", problem="a generator's further steps are in the outer profile alone")

    def table(self) -> Table:
        """See `Recorder.table`."""
        return merge([_seen(self._own), self._taken])


def _seen(profile: cProfile.Profile) -> Table:
    profile.snapshot_stats()
    table = cast(Table, profile.stats)
    return {place: row for place, row in table.items() if "_lsprof" not in place[2]}


class _ShortTurns:
    """Shortens how long a thread keeps the interpreter from the one that looks, while any looks.

    With the usual 5 ms it would mostly see what gives the interpreter away by itself, such as SQL and deflate.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._usual = 0.0
        self._looking = 0
        self._turn = threading.Lock()

    def begin(self) -> None:
        with self._turn:
            if self._looking == 0:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(self._seconds)
            self._looking += 1

    def end(self) -> None:
        with self._turn:
            self._looking -= 1
            if self._looking == 0:
                sys.setswitchinterval(self._usual)


_short_turns = _ShortTurns(_TURN_SECONDS)


class SampleRecorder:
    """Looks at its thread's stack from another thread: counts are samples, times are the clock's.

    What a function of C takes counts for who called it. Unlike a profiler that the interpreter calls at each event, it
    costs the same whatever the watched code does.
    """

    def __init__(self, interval_seconds: float = SAMPLE_SECONDS) -> None:
        self._interval_seconds = interval_seconds
        self._stacks: dict[Stack, tuple[int, float]] = {}
        self._over = threading.Event()
        self._looking: threading.Thread | None = None

    def resume(self) -> None:
        """See `Recorder.resume`."""
        self._over.clear()
        below = tuple(_codes(sys._getframe(1)))
        watched = threading.get_ident()
        looking = threading.Thread(target=self._look, args=(watched, below), name="profile-samples", daemon=True)
        try:
            looking.start()
        except RuntimeError as error:  # the process has too many: what is watched runs all the same
            log.warning("profile_not_sampled", problem=str(error))
            return
        _short_turns.begin()
        self._looking = looking

    def pause(self) -> None:
        """See `Recorder.pause`."""
        self._over.set()
        if self._looking is not None:
            self._looking.join()
            self._looking = None
            _short_turns.end()

    def table(self) -> Table:
        """See `Recorder.table`."""
        table: Table = {}
        for stack, (samples, seconds) in self._stacks.items():
            _add(table, [_place(code) for code in stack], samples, seconds)
        return table

    def _look(self, watched: int, below: Stack) -> None:
        last = time.perf_counter()
        while not self._over.wait(self._interval_seconds):
            frame = sys._current_frames().get(watched)
            now = time.perf_counter()
            stack = _above(tuple(_codes(frame)), below)
            samples, seconds = self._stacks.get(stack, (0, 0.0))
            self._stacks[stack] = (samples + 1, seconds + now - last)
            last = now


def _codes(frame: FrameType | None) -> Iterator[CodeType]:
    """Return the codes of a stack, the outermost first."""
    found = []
    while frame is not None:
        found.append(frame.f_code)
        frame = frame.f_back
    return reversed(found)


def _above(stack: Stack, below: Stack) -> Stack:
    """Leave out what was on the stack already when the watching began."""
    shared = 0
    for code, known in zip(stack, below, strict=False):
        if code is not known:
            break
        shared += 1
    return stack[shared:]


def _place(code: CodeType) -> Place:
    return (code.co_filename, code.co_firstlineno, code.co_name)


def _add(table: Table, places: list[Place], samples: int, seconds: float) -> None:
    """Add the samples of one stack; a function that is on it twice has its time once."""
    for depth, place in enumerate(places):
        own = seconds if depth == len(places) - 1 else 0.0
        total = 0.0 if place in places[:depth] else seconds
        primitive, calls, own_before, total_before, callers = table.get(place, (0, 0, 0.0, 0.0, {}))
        table[place] = (primitive + samples, calls + samples, own_before + own, total_before + total, callers)
        if depth:
            known = callers.get(places[depth - 1], (0, 0, 0.0, 0.0))
            callers[places[depth - 1]] = (known[0] + samples, known[1] + samples, known[2] + own, known[3] + total)
