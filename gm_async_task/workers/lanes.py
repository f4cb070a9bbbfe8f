"""Who is given what: the lane of a new task, and the queues that a worker hears. Pure rules."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from shared.task_api.lanes import GREY, rung_queue
from shared.task_api.workers import Release, ReleaseState, WorkerLane


@dataclass(frozen=True, slots=True)
class Crew:
    """What the rules need to know of a live worker."""

    version: str
    queues: Sequence[str]


def choose_lane(release: Release | None, served: Collection[str], queue: str, station_id: str, key: str) -> str | None:
    """Return the lane of a new task, None for the base lane.

    `release` is the one being tried; `served` are the base queues of its version's live workers. The same task
    (`key` is its user_task_id) gets the same lane whenever it is asked for, and keeps it when the share grows.
    """
    if release is None or queue not in served:
        return None
    if release.queues and queue not in release.queues:
        return None
    if release.stations and station_id not in release.stations:
        return None
    return GREY if _percentile(station_id, key) < release.percent else None


def lane_of(version: str, releases: Iterable[Release]) -> WorkerLane:
    """Return what a version is given; `releases` are newest first, and the first that mentions it decides."""
    mention = _mention(version, releases)
    if mention is None:
        return WorkerLane.BASE
    if mention.version != version:
        return WorkerLane.DRAINED
    return {
        ReleaseState.GREY: WorkerLane.GREY,
        ReleaseState.LIVE: WorkerLane.BASE,
        ReleaseState.ROLLED_BACK: WorkerLane.DRAINED,
    }[mention.state]


def choose_serve(worker: Crew, releases: Sequence[Release], live: Collection[Crew]) -> list[str]:
    """Return the broker queues that a worker hears.

    What no live worker of a base version serves is served by whoever is there: an outage is worse than an old
    version, or than one that is only being tried.
    """
    lane = lane_of(worker.version, releases)
    grey_queues = [rung_queue(queue, GREY) for queue in worker.queues]
    if lane is WorkerLane.BASE:
        return [*worker.queues, *(grey_queues if _takes_leftovers(worker.version, releases) else [])]
    own = grey_queues if lane is WorkerLane.GREY else []
    base = [crew for crew in live if crew.version != worker.version and lane_of(crew.version, releases) == "base"]
    served = {queue for crew in base for queue in crew.queues}
    return [*own, *(queue for queue in worker.queues if queue not in served)]


def lanes_heard(queue: str, lane: str | None, heard: Collection[str]) -> list[str | None]:
    """Return the lanes of `queue` that are among the broker queues `heard`, the task's own `lane` first."""
    other = None if lane == GREY else GREY
    return [each for each in (lane, other) if rung_queue(queue, each) in heard]


def _mention(version: str, releases: Iterable[Release]) -> Release | None:
    return next((each for each in releases if version == each.version or version in each.drained), None)


def _takes_leftovers(version: str, releases: Sequence[Release]) -> bool:
    """Tell whether bells of the grey lane are its own from before; another release's are not for it."""
    return _mention(version, releases) is not None and all(each.state is not ReleaseState.GREY for each in releases)


def _percentile(station_id: str, key: str) -> int:
    digest = hashlib.sha256(f"{station_id}\n{key}".encode()).digest()
    return int.from_bytes(digest[:8]) % 100
