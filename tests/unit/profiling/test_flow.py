"""Pictures and reports add up to the whole, whoever calls whom: recursions, circles, several entries."""

from __future__ import annotations

import cProfile
import profile
import pstats
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.profiling.circles import circles_of
from shared.profiling.decorator import do_cprofile
from shared.profiling.explanation import explain_file
from shared.profiling.flame import Bar, lay_out
from shared.profiling.flow import entries_of
from shared.profiling.joining import graft
from shared.profiling.pstat_tables import Place, Table, open_table
from shared.profiling.recorders import SampleRecorder
from shared.profiling.switch import SWITCH, Limits

WAIT: Place = ("~", 0, "<method 'acquire' of '_thread.lock' objects>")


def burn(seconds: float = 0.002) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def deep(levels: int) -> None:
    burn()
    if levels:
        deep(levels - 1)


def even(number: int) -> None:
    burn()
    if number:
        odd(number - 1)


def odd(number: int) -> None:
    burn(0.001)
    if number:
        even(number - 1)


def both() -> None:
    even(5)
    burn()


def several() -> Iterator[None]:
    for function in (lambda: even(4), lambda: odd(3), burn):
        yield function()


def by_cprofile(work: Callable[[], Any]) -> Table:
    profiler = cProfile.Profile()
    profiler.enable()
    work()
    profiler.disable()
    return dict(pstats.Stats(profiler).stats)  # type: ignore[attr-defined]


def by_profile(work: Callable[[], Any]) -> Table:
    profiler = profile.Profile()
    profiler.runcall(work)
    return dict(pstats.Stats(profiler).stats)  # type: ignore[attr-defined]


def by_samples(work: Callable[[], Any]) -> Table:
    recorder = SampleRecorder(0.0005)
    recorder.resume()
    work()
    recorder.pause()
    return recorder.table()


def names(bars: list[Bar]) -> set[str]:
    return {bar.place[2] for bar in bars}


@pytest.mark.parametrize("profiled", [by_cprofile, by_profile, by_samples])
@pytest.mark.parametrize("work", [lambda: deep(8), lambda: even(6), both, lambda: list(several())])
def test_a_flame_graph_adds_up_to_the_whole(profiled: Callable[..., Table], work: Callable[[], Any]) -> None:
    table = profiled(work)

    bars = lay_out(table)

    whole = sum(row[2] for row in table.values())
    assert whole > 0
    assert sum(entry.seconds for entry in entries_of(table)) == pytest.approx(whole)
    assert sum(bar.seconds for bar in bars if bar.depth == 0) == pytest.approx(whole, rel=0.02)
    assert "burn" in names(bars)
    burning = {place: sum(bar.seconds for bar in bars if bar.place == place) for place in table if place[2] == "burn"}
    for place, seconds in burning.items():
        assert seconds == pytest.approx(table[place][3], rel=0.25)
    for bar in bars:
        above = [b for b in bars if b.depth == bar.depth + 1 and bar.left <= b.left < bar.left + bar.seconds]
        assert sum(b.seconds for b in above) <= bar.seconds * 1.0001


def test_what_has_nothing_but_a_recursion_begins_with_it() -> None:
    place: Place = ("a.py", 1, "deep")
    table: Table = {place: (1, 5, 2.0, 2.0, {place: (4, 1, 1.6, 1.8)})}

    bars = lay_out(table)

    assert [(bar.place, bar.seconds) for bar in bars[:1]] == [(place, 2.0)]
    assert len(bars) == 2


def test_what_runs_below_the_imports_of_a_script_keeps_its_width(tmp_path: Path) -> None:
    """exec() runs the script and, within it, what is imported: a circle that everything is part of."""
    (tmp_path / "script.py").write_text(
        "import time\n"
        "def work(seconds):\n"
        "    until = time.perf_counter() + seconds\n"
        "    while time.perf_counter() < until: pass\n"
        "def main():\n"
        "    import xml.dom.minidom, http.server\n"
        "    work(0.5)\n"
        "main()\n"
    )
    argv = [sys.executable, "-m", "cProfile", "-o", "script.prof", "script.py"]
    subprocess.run(argv, cwd=tmp_path, check=True)

    table = open_table(tmp_path / "script.prof")
    bars = lay_out(table)

    for name in ("main", "work"):
        seconds = next(row[3] for place, row in table.items() if place[2] == name)
        assert sum(bar.seconds for bar in bars if bar.place[2] == name) == pytest.approx(seconds, rel=0.1)


def test_a_profiler_that_counts_no_calls_has_the_same_roots() -> None:
    first, second, third = ("a.py", 1, "a"), ("a.py", 2, "b"), ("a.py", 3, "c")
    table: Table = {
        first: (-1, -1, 1.0, 6.0, {}),
        second: (-1, -1, 2.0, 5.0, {first: (-1, -1, 2.0, 5.0)}),
        third: (-1, -1, 3.0, 3.0, {first: (-1, -1, 0.0, 0.0), second: (-1, -1, 3.0, 3.0)}),
    }

    assert [(entry.place, entry.seconds) for entry in entries_of(table)] == [(first, 6.0)]


def test_the_outer_file_of_nested_calls_has_a_flame_graph_and_adds_up(tmp_path: Path) -> None:
    before = SWITCH.decorated, SWITCH.folder, SWITCH.limits
    SWITCH.decorated, SWITCH.folder, SWITCH.limits = True, tmp_path, Limits()
    try:
        inner = do_cprofile("inner.prof")(burn)
        do_cprofile("outer.prof")(lambda: (burn(0.01), inner(0.02)))()
    finally:
        SWITCH.decorated, SWITCH.folder, SWITCH.limits = before

    table = open_table(tmp_path / "outer.prof")
    bars = lay_out(table)

    whole = sum(row[2] for row in table.values())
    burnt = next(row[3] for place, row in table.items() if place[2] == "burn")
    assert burnt > 0.02
    assert sum(bar.seconds for bar in bars if bar.depth == 0) == pytest.approx(whole, rel=0.02)
    assert sum(bar.seconds for bar in bars if bar.place[2] == "burn") == pytest.approx(burnt, rel=0.02)
    assert explain_file(tmp_path / "outer.prof").shares.total == pytest.approx(whole)


def test_a_recursive_part_is_grafted_with_its_whole_time() -> None:
    task: Place = ("task.py", 1, "run")
    walk: Place = ("walk.py", 1, "walk")
    outer: Table = {task: (1, 1, 1.0, 10.0, {}), WAIT: (1, 1, 9.0, 9.0, {task: (1, 1, 9.0, 9.0)})}
    inner: Table = {walk: (2, 7, 4.0, 4.0, {walk: (5, 2, 3.0, 3.5)})}

    joined = graft(outer, inner, WAIT)

    assert joined[WAIT][2] == pytest.approx(5.0)
    assert joined[walk][4][WAIT] == (2, 2, 4.0, 4.0)
    assert sum(row[2] for row in joined.values()) == pytest.approx(10.0)
    assert sum(bar.seconds for bar in lay_out(joined) if bar.depth == 0) == pytest.approx(10.0)


def test_circles_are_found_whatever_their_size() -> None:
    chain = {number: [number + 1] for number in range(5000)}
    reaches = {**chain, 5000: [3000, "gone"], "alone": [1], "self": ["self"]}

    circles = circles_of(reaches)

    assert {frozenset(circle) for circle in circles if len(circle) > 1} == {frozenset(range(3000, 5001))}
    assert {"alone"} in circles
    assert sum(map(len, circles)) == 5003
