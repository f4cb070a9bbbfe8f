"""Decorators that profile a function's calls: nothing but a look at the switch while it is off.

They work on plain functions, methods, Flask views, task functions and generators; what a function raises goes on to
its caller, and the profile is written all the same. Files open with `gm profile` and with everything that opens
pstats files.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import GeneratorType
from typing import Any, TypeVar, cast

import structlog

from shared.profiling.folder import keep_within, write_own
from shared.profiling.naming import check_pattern, fill_path, write_whole
from shared.profiling.recorders import CallRecorder, Recorder, SampleRecorder
from shared.profiling.switch import SWITCH

log = structlog.get_logger(__name__)
Function = TypeVar("Function", bound=Callable[..., Any])


def do_cprofile(path: str | Path) -> Callable[[Function], Function]:
    """Profile each call by cProfile into `path`, a file, a folder, or a pattern.

    A pattern may name {function}, {time}, {request_id} and {pid}. A relative path begins in GM_PROFILE_DIR, or in the
    working folder where that is not set. A later call replaces the file; concurrent and nested calls get numbers.
    While a profiler watches that is not ours, such as `python -m cProfile`, nothing is written.

    Raises:
        ValueError: the pattern names something else.
        TypeError: the function is a coroutine's; or there is no path, as in `@do_cprofile` alone.
    """
    return _profiled(_as_pattern(path), CallRecorder)


def do_sampling(path: str | Path) -> Callable[[Function], Function]:
    """Do the same by samples of the stack, which cost little enough for production; they count no calls."""
    return _profiled(_as_pattern(path), SampleRecorder)


def monitor_profile(function: Function) -> Function:
    """Profile each call by cProfile into `<function name>.stat`, in the folder that `do_cprofile` begins in."""
    return _profiled("{function}.stat", CallRecorder)(function)


def _as_pattern(path: object) -> str:
    if not isinstance(path, str | Path):
        raise TypeError('name where to write: @do_cprofile("orders.prof")')
    return str(path)


def _profiled(pattern: str, make_recorder: Callable[[], Recorder]) -> Callable[[Function], Function]:
    check_pattern(pattern)

    def decorate(function: Function) -> Function:
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{function.__name__} is a coroutine, which shares its thread: profile what it calls")

        name = getattr(function, "__name__", type(function).__name__)  # a partial has none

        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            if not SWITCH.decorated:
                return function(*arguments, **named)
            watched = _Call(name, pattern, make_recorder(), time.time_ns())
            return watched.run(function, arguments, named)

        return cast(Function, call)

    return decorate


@dataclass(frozen=True, slots=True)
class _Call:
    """One profiled call."""

    name: str
    pattern: str
    recorder: Recorder
    began_ns: int

    def run(self, function: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Call, and write the profile at the call's end; that of a generator when it is exhausted or closed."""
        goes_on = False
        try:
            returned = self._step(function, *arguments, **named)
            goes_on = isinstance(returned, GeneratorType)
        finally:
            if not goes_on:
                self._write()
        return self._drive(returned) if goes_on else returned

    def _step(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        self.recorder.resume()
        try:
            return function(*arguments, **named)
        finally:
            self.recorder.pause()

    def _drive(self, generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Go through the generator's steps; what its consumer does between them is not the generator's."""
        step: Callable[[], Any] = functools.partial(next, generator)
        try:
            while True:
                try:
                    value = self._step(step)
                except StopIteration as stop:
                    return stop.value
                try:
                    sent = yield value
                except GeneratorExit:
                    self._step(generator.close)
                    raise
                except BaseException as error:
                    step = functools.partial(generator.throw, error)
                else:
                    step = functools.partial(generator.send, sent)
        finally:
            self._write()

    def _write(self) -> None:
        """Write the profile; whatever is wrong with it or the disk is no reason for the call to fail."""
        try:
            path = fill_path(self.pattern, self.name, SWITCH.folder)
            table = self.recorder.table()
            if not table:  # somebody else's profiler was at work, or no sample was taken
                return
            write = functools.partial(write_own, table, are_samples=isinstance(self.recorder, SampleRecorder))
            place = write_whole(path, self.began_ns, write)
            if SWITCH.folder is not None:
                keep_within(SWITCH.folder, SWITCH.limits, place.stat().st_size)
        except Exception as error:
            log.warning("profile_not_written", function=self.name, problem=str(error) or type(error).__name__)
        else:
            log.info("profile_written", function=self.name, file=str(place))
