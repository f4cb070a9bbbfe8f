"""When a worker makes progress, and `python -m gm_task.health [--ready] [FILE]`, which asks a running one.

It is healthy while all of this holds; else starting it anew is the cure:

- its parent's event loop has turned within `stall_seconds`, or it tried to reach the broker within them: a broker
  that is away makes it not ready, never sick;
- it has child processes;
- in each child that runs a task, the thread that watches the run has turned within `stall_seconds`. It turns a few
  times a second, also while gm_async_task is away or the function is silent; not in a child that is frozen, or whose
  function holds the interpreter's lock for ever. What else a run can do wrong ends by itself: its watch gives up the
  child of a run that is over its limit.

It is ready while it is healthy and connected to the broker. What it doesn't see is a broker that gives it nothing:
that is what `gm_oldest_submitted_seconds` shows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from gm_task.pulse import ChildPulses
from shared.health import Health, main


@dataclass(slots=True)
class Parent:
    """What a worker's parent process notes about itself; written by its main thread, read by others."""

    children: ChildPulses
    stall_seconds: float
    clock: Callable[[], float] = time.monotonic
    turned: float = 0.0
    connected: bool = False
    processes: int | None = None
    """how many children; None: not started yet"""

    def __post_init__(self) -> None:
        self.turn()

    def turn(self) -> None:
        """Note that the event loop goes on, or that connecting does."""
        self.turned = self.clock()

    def loop_age(self) -> float:
        """Return for how many seconds it has stood still."""
        return self.clock() - self.turned

    def judge(self) -> Health:
        """Tell how the worker is."""
        return Health(self._why_sick(), "" if self.connected else "The broker is away; the worker tries to reach it.")

    def _why_sick(self) -> str:
        if self.loop_age() > self.stall_seconds:
            return f"The worker's event loop has stood still for {self.loop_age():.0f} seconds."
        if self.processes == 0:
            return "The worker has no child process."
        for child, age in self.children.stalled(self.stall_seconds):
            return f"Child {child} has stood still in a run for {age:.0f} seconds."
        return ""


if __name__ == "__main__":
    sys.exit(main("GM_WORKER_HEALTH_FILE", sys.argv[1:]))
