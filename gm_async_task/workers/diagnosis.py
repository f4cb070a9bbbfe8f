"""Why a task is where it is, in sentences for the engineer on call: pure, from facts that were read at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.task_api.models import ENDED, TaskStatus

QUIET_SECONDS = 60.0
"""a run that shows no progress for so long is worth a word"""
_LATE_SECONDS = 10.0
"""a lease that ended so long ago should have been seen by a keeper"""


@dataclass(frozen=True, slots=True)
class Workers:
    """The live workers, as they have reported."""

    serving: int = 0
    """that take from the queue that the task is rung on"""
    able: int = 0
    """of these, that have its function"""
    knowing: int = 0
    """that have its function, whatever they serve"""
    children: int = 0
    """how many tasks the serving ones can run at once"""
    running: int = 0
    """how many they do run"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a task; times are seconds, as the database's clock has them."""

    status: TaskStatus
    name: str
    queue: str | None
    """the one that is rung"""
    changed: float
    """since its last change"""
    rung: int = 0
    """how often the keeper rang for it"""
    next_ring: float | None = None
    """negative: it is due"""
    ahead: int = 0
    """tasks of its queue that were added before it and wait too"""
    lease_left: float | None = None
    run_for: float = 0.0
    run_limit: float = 0.0
    stop_left: float | None = None
    """until the keeper ends a run that somebody asked to stop"""
    owner: str | None = None
    lost_runs: int = 0
    reason: str | None = None
    workers: Workers = Workers()


def diagnose(facts: Facts) -> list[str]:
    """Return what there is to say, the most telling first."""
    if facts.status in ENDED:
        return [f"It has ended{f': {facts.reason}' if facts.reason else '.'}"]
    told = list(_why_it_waits(facts) if facts.status is TaskStatus.SUBMITTED else _how_it_runs(facts))
    if facts.lost_runs:
        told.append(f"Its worker died {_times(facts.lost_runs)} in the middle of it; the keeper gave it back.")
    return told


def _why_it_waits(facts: Facts) -> Iterator[str]:
    workers, queue = facts.workers, facts.queue
    if queue is None:
        yield "It was added without a queue: nobody rings for it, its caller must send the message."
        return
    if not workers.serving:
        yield f"No live worker takes from the queue {queue}: start one, or see why its workers do not report."
    elif not workers.able:
        elsewhere = f"; {workers.knowing} on other queues have it" if workers.knowing else ""
        yield f"None of the {workers.serving} workers of the queue {queue} has the function {facts.name}{elsewhere}."
    elif workers.running >= workers.children:
        yield f"All {workers.children} places of the workers of {queue} are taken; {facts.ahead} tasks are before it."
    elif facts.ahead:
        yield f"{facts.ahead} tasks of the queue {queue} are before it, and workers have room: it should start soon."
    elif facts.rung > 1:
        yield (
            f"Workers have room and the keeper rang {_times(facts.rung)}: the bell does not reach them. Is the broker "
            "there, and do the workers take messages (broker_away in their logs)?"
        )
    else:
        yield "Workers have room: it should start at once."
    yield _next_ring(facts)


def _next_ring(facts: Facts) -> str:
    rang = f"The keeper rang for it {_times(facts.rung)}" if facts.rung else "The keeper has not rung for it yet"
    if facts.next_ring is None:
        return f"{rang}."
    if facts.next_ring < -_LATE_SECONDS:
        return f"{rang}, and is {-facts.next_ring:.0f} s late: is a keeper running, and does it reach the broker?"
    return f"{rang}; it will {'again ' if facts.rung else ''}in {_left(facts.next_ring)}."


def _how_it_runs(facts: Facts) -> Iterator[str]:
    left = facts.lease_left or 0.0
    if left < -_LATE_SECONDS:
        yield f"Its run was not heard of for its whole lease, which ended {-left:.0f} s ago: is a keeper running?"
    elif left < 0:
        yield "Its run was not heard of for its whole lease: the keeper takes it back now."
    else:
        owner = facts.owner or "A worker"
        yield f"{owner} runs it for {facts.run_for:.0f} s and was heard of; its lease has {left:.0f} s."
    if facts.stop_left is not None:
        yield f"Somebody asked to stop it; the keeper ends it in {_left(facts.stop_left)} if its worker does not."
    elif facts.changed >= QUIET_SECONDS:
        yield f"It has shown no progress for {facts.changed:.0f} s: its function is busy or hangs."
    yield f"A run may take {facts.run_limit:.0f} s; the keeper ends it in {_left(facts.run_limit - facts.run_for)}."


def _left(seconds: float) -> str:
    return f"{max(0.0, seconds):.0f} s"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
