"""Which lane a new task gets, and which queues a worker hears, as tables."""

from __future__ import annotations

from datetime import datetime

import pytest

from gm_async_task.workers.lanes import Crew, choose_lane, choose_serve, lane_of, lanes_heard
from shared.task_api.lanes import base_queue, rung_queue
from shared.task_api.workers import Release, WorkerLane

OLD, NEW, NEWER = "1", "2", "3"


def _release(version: str, state: str = "grey", percent: int = 100, **changes: object) -> Release:
    lists = {"stations": [], "queues": [], "drained": []}
    given = {"id": 1, "reason": None, "begun_at": datetime(2026, 1, 1), "ended_at": None, **lists, **changes}
    return Release.model_validate({"version": version, "state": state, "percent": percent, **given})


@pytest.mark.parametrize(
    ("release", "served", "lane"),
    [
        (None, {"q"}, None),
        (_release(NEW), {"q"}, "grey"),
        (_release(NEW, percent=0), {"q"}, None),
        (_release(NEW), set(), None),
        (_release(NEW), {"other"}, None),
        (_release(NEW, queues=["q", "other"]), {"q"}, "grey"),
        (_release(NEW, queues=["other"]), {"q", "other"}, None),
        (_release(NEW, stations=["S001"]), {"q"}, "grey"),
        (_release(NEW, stations=["S002"]), {"q"}, None),
    ],
)
def test_lane_of_a_new_task(release: Release | None, served: set[str], lane: str | None) -> None:
    assert choose_lane(release, served, "q", "S001", "task-1") == lane


@pytest.mark.parametrize("percent", [1, 10, 50, 90, 99])
def test_share_is_about_as_large_as_asked_for(percent: int) -> None:
    chosen = [choose_lane(_release(NEW, percent=percent), {"q"}, "q", "S001", f"k{number}") for number in range(5000)]

    assert abs(chosen.count("grey") / 50 - percent) < 2.5


def test_a_task_keeps_its_lane_when_the_share_grows() -> None:
    def grey(percent: int) -> set[int]:
        release = _release(NEW, percent=percent)
        return {number for number in range(500) if choose_lane(release, {"q"}, "q", "S001", f"k{number}")}

    assert grey(10) < grey(40) < grey(100)


TRIED = [_release(NEW)]
LIVE = [_release(NEW, "live", drained=[OLD])]
BACK = [_release(NEW, "rolled_back")]
NEXT_TRIED = [_release(NEWER), *LIVE]
NEXT_BACK = [_release(NEWER, "rolled_back"), *LIVE]
AGAIN = [_release(OLD), *LIVE]


@pytest.mark.parametrize(
    ("releases", "version", "lane", "serve"),
    [
        ([], OLD, "base", ["a", "b"]),
        (TRIED, OLD, "base", ["a", "b"]),
        (TRIED, NEW, "grey", ["a.grey", "b.grey"]),
        (LIVE, NEW, "base", ["a", "b", "a.grey", "b.grey"]),
        (LIVE, OLD, "drained", []),
        (LIVE, NEWER, "base", ["a", "b"]),
        (BACK, OLD, "base", ["a", "b"]),
        (BACK, NEW, "drained", []),
        (NEXT_TRIED, NEWER, "grey", ["a.grey", "b.grey"]),
        (NEXT_TRIED, NEW, "base", ["a", "b"]),
        (NEXT_TRIED, OLD, "drained", []),
        (NEXT_BACK, NEWER, "drained", []),
        (NEXT_BACK, NEW, "base", ["a", "b", "a.grey", "b.grey"]),
        (AGAIN, OLD, "grey", ["a.grey", "b.grey"]),
    ],
)
def test_what_a_worker_hears(releases: list[Release], version: str, lane: str, serve: list[str]) -> None:
    live = [Crew(each, ["a", "b"]) for each in (OLD, NEW, NEWER)]

    assert lane_of(version, releases) == WorkerLane(lane)
    assert choose_serve(Crew(version, ["a", "b"]), releases, live) == serve


@pytest.mark.parametrize(
    ("releases", "version", "others", "serve"),
    [
        (LIVE, OLD, [], ["a", "b"]),
        (LIVE, OLD, [Crew(NEW, ["a"])], ["b"]),
        (LIVE, OLD, [Crew(OLD, ["a", "b"])], ["a", "b"]),
        (BACK, NEW, [], ["a", "b"]),
        (BACK, NEW, [Crew(OLD, ["a", "b"])], []),
        (NEXT_TRIED, OLD, [Crew(NEWER, ["a", "b"])], ["a", "b"]),
        (TRIED, NEW, [], ["a.grey", "b.grey", "a", "b"]),
        (TRIED, NEW, [Crew(OLD, ["b"])], ["a.grey", "b.grey", "a"]),
    ],
)
def test_a_queue_that_no_base_worker_serves_is_served_all_the_same(
    releases: list[Release], version: str, others: list[Crew], serve: list[str]
) -> None:
    worker = Crew(version, ["a", "b"])

    assert choose_serve(worker, releases, [worker, *others]) == serve


@pytest.mark.parametrize(
    ("lane", "heard", "lanes"),
    [
        (None, {"q"}, [None]),
        (None, {"q.grey"}, ["grey"]),
        (None, {"q", "q.grey"}, [None, "grey"]),
        ("grey", {"q", "q.grey"}, ["grey", None]),
        ("grey", {"q"}, [None]),
        (None, {"other"}, []),
    ],
)
def test_lanes_where_a_function_is_known(lane: str | None, heard: set[str], lanes: list[str | None]) -> None:
    assert lanes_heard("q", lane, heard) == lanes


@pytest.mark.parametrize(("lane", "rung"), [(None, "q"), ("grey", "q.grey")])
def test_both_ends_name_a_lane_alike(lane: str | None, rung: str) -> None:
    assert rung_queue("q", lane) == rung
    assert base_queue(rung) == "q"
