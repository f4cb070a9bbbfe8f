"""Profilers that are not ours go on undisturbed, and the decorated function runs all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.profiling.pstat_tables import open_table

ROOT = Path(__file__).parents[3]
DECORATED = """
from shared.profiling.decorator import do_cprofile, do_sampling

def one(number):
    return number

@do_cprofile("entry.prof")
def entry(times):
    return sum(one(number) for number in range(times))

def later():
    return [one(number) for number in range(50)]
"""


def run(folder: Path, script: str, *options: str) -> str:
    """Run a script that has decorated functions; return what it printed, its log among it."""
    (folder / "script.py").write_text(DECORATED + script)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GM_PROFILE_DECORATED": "true", "GM_PROFILE_DIR": str(folder)}
    argv = [sys.executable, *options, "script.py"]
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def calls(path: Path, function: str) -> int:
    return sum(row[1] for place, row in open_table(path).items() if place[2] == function)


@pytest.mark.parametrize("module", ["cProfile", "profile"])
def test_a_script_that_is_profiled_from_outside_is_seen_whole(tmp_path: Path, module: str) -> None:
    told = run(tmp_path, "print([entry(30), entry(20)])\nlater()\n", "-m", module, "-o", "whole.prof")

    assert "[435, 190]" in told
    assert calls(tmp_path / "whole.prof", "one") == 100
    assert calls(tmp_path / "whole.prof", "later") == 1
    assert not (tmp_path / "entry.prof").exists()
    assert told.count("profile_tool_busy") == 1


def test_a_profiler_around_a_nested_call_goes_on(tmp_path: Path) -> None:
    told = run(
        tmp_path,
        """
import cProfile

@do_cprofile("outer.prof")
def outer():
    one(0)
    theirs = cProfile.Profile()
    theirs.enable()
    entry(30)
    later()
    theirs.disable()
    theirs.dump_stats("theirs.prof")
    one(0)
    return entry(10)

print(outer())
""",
    )

    assert "45" in told
    assert calls(tmp_path / "theirs.prof", "one") == 80
    assert calls(tmp_path / "entry.prof", "one") == 10
    assert calls(tmp_path / "outer.prof", "one") == 1
    assert told.count("profile_cut_short") == 1


def test_a_profiler_that_the_function_leaves_running_goes_on(tmp_path: Path) -> None:
    run(
        tmp_path,
        """
import cProfile, gc

theirs = cProfile.Profile()
do_cprofile("begins.prof")(lambda: theirs.enable())()
gc.collect()
later()
theirs.disable()
theirs.dump_stats("theirs.prof")
entry(7)
""",
    )

    assert calls(tmp_path / "theirs.prof", "later") == 1
    assert calls(tmp_path / "theirs.prof", "one") == 50
    assert calls(tmp_path / "entry.prof", "one") == 7


def test_sampling_goes_on_beside_another_profiler(tmp_path: Path) -> None:
    run(
        tmp_path,
        """
import time
do_sampling("sampled.prof")(lambda: time.sleep(0.2))()
later()
""",
        *("-m", "cProfile", "-o", "whole.prof"),
    )

    assert calls(tmp_path / "sampled.prof", "<lambda>") > 0
    assert calls(tmp_path / "whole.prof", "later") == 1


def test_allocations_that_somebody_else_watches_stay_watched(tmp_path: Path) -> None:
    told = run(
        tmp_path,
        """
import tracemalloc
from pathlib import Path
from shared.profiling.session import Subject, watching
from shared.profiling.store import ProfileStore

store = ProfileStore(Path("kept"))
with watching(Subject("call", "later", "memory"), store):
    kept = [bytes(10_000) for _ in range(100)]
print(tracemalloc.is_tracing(), "lines" in store.list_records()[0]["memory"])
""",
        *("-X", "tracemalloc"),
    )

    assert "True True" in told
