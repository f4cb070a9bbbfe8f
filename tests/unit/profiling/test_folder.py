"""The limits of the folder: the oldest of ours goes, and nothing else that lies there; also with several processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.profiling import folder as folders
from shared.profiling.decorator import do_cprofile
from shared.profiling.folder import has_samples, keep_within
from shared.profiling.pstat_tables import open_table
from shared.profiling.session import Subject, watching
from shared.profiling.store import ProfileStore
from shared.profiling.switch import SWITCH, Limits

NOTHING = Limits(max_bytes=0, max_age_seconds=0)
DAY = 86_400.0


@pytest.fixture(autouse=True)
def decorated(tmp_path: Path) -> Iterator[None]:
    before = SWITCH.decorated, SWITCH.folder, SWITCH.limits
    SWITCH.decorated, SWITCH.folder, SWITCH.limits = True, tmp_path, Limits()
    yield
    SWITCH.decorated, SWITCH.folder, SWITCH.limits = before


def entry() -> int:
    return sum(range(9))


def record(store: ProfileStore) -> None:
    with watching(Subject("call", "entry", "cprofile"), store):
        entry()


def look(folder: Path, limits: Limits) -> None:
    """Have this process look again, which it would do once a minute."""
    folders._looks.clear()
    keep_within(folder, limits, 0)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def grow_old(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_records_and_decorated_calls_go_and_all_else_stays(tmp_path: Path) -> None:
    store = ProfileStore(tmp_path)
    for pattern in ("entry.prof", "below/entry.stat", "below/any.name"):
        do_cprofile(pattern)(entry)()
    record(store)
    store.mark("12", "cprofile")
    foreign = {"notes.txt", "mine.prof", "records/mine.prof", "records/notes.json", "below/mine.stat"}
    for name in foreign:
        (tmp_path / name).write_bytes(b"somebody's own")
        grow_old(tmp_path / name, 365 * DAY)
    (tmp_path / "elsewhere.prof").symlink_to(__file__)

    look(tmp_path, NOTHING)

    assert names(tmp_path) == {*foreign, "marks/12", "elsewhere.prof"}
    assert store.take_mark("12") == "cprofile"
    assert Path(__file__).exists()


def test_what_is_not_ours_does_not_count(tmp_path: Path) -> None:
    do_cprofile("entry.prof")(entry)()
    (tmp_path / "film.mp4").write_bytes(b"x" * 100_000)

    look(tmp_path, Limits(max_bytes=50_000))

    assert names(tmp_path) == {"entry.prof", "film.mp4"}


def test_the_mark_at_its_end_leaves_a_profile_readable(tmp_path: Path) -> None:
    do_cprofile("entry.prof")(entry)()

    assert any(place[2] == "entry" for place in open_table(tmp_path / "entry.prof"))


def test_the_oldest_go_first_and_a_record_with_its_profile(tmp_path: Path) -> None:
    store = ProfileStore(tmp_path)
    for _ in range(3):
        record(store)
    newest, middle, oldest = store.list_records()
    for age, kept in ((2 * DAY, middle), (9 * DAY, oldest)):
        grow_old(store.profile_of(kept), age)
        grow_old(store.profile_of(kept).with_suffix(".json"), age)

    look(tmp_path, Limits(max_age_seconds=7 * DAY))
    assert store.list_records() == [newest, middle]

    both = sum((store.profile_of(newest).with_suffix(suffix)).stat().st_size for suffix in (".json", ".prof"))
    look(tmp_path, Limits(max_bytes=both))
    assert store.list_records() == [newest]
    assert store.table_of(newest)


def test_files_of_killed_processes_go_and_those_that_are_being_written_stay(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    left, writing = tmp_path / "records/.abcd1234.part", tmp_path / ".wxyz5678.part"
    left.touch()
    writing.touch()
    grow_old(left, 8 * DAY)

    look(tmp_path, Limits(max_bytes=0))

    assert names(tmp_path) == {writing.name}


def test_a_file_that_is_replaced_meanwhile_is_not_removed(tmp_path: Path) -> None:
    do_cprofile("entry.prof")(entry)()
    seen = (tmp_path / "entry.prof").lstat()
    do_cprofile("entry.prof")(entry)()

    folders._remove(tmp_path, tmp_path / "entry.prof", seen)

    assert names(tmp_path) == {"entry.prof"}


def test_a_folder_that_cannot_be_looked_through_fails_no_call(tmp_path: Path) -> None:
    look(tmp_path / "gone", NOTHING)


def test_two_processes_that_write_beyond_the_limit_lose_neither_marks_nor_the_newest(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, '.')\n"
        "from shared.profiling.decorator import do_cprofile\n"
        "from shared.profiling.switch import SWITCH, Limits\n"
        "SWITCH.decorated, SWITCH.folder, SWITCH.limits = True, Path(sys.argv[1]), Limits(max_bytes=6000)\n"
        "entry = do_cprofile('{pid}/{function}-{time}.prof')(lambda: sum(range(9)))\n"
        "for number in range(60): entry()\n"
    )
    ProfileStore(tmp_path).mark("12", "cprofile")
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            cwd=Path(__file__).parents[3],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=60)[0] for process in both]

    assert [process.returncode for process in both] == [0, 0], told
    assert not any("not_written" in text or "not_removed" in text for text in told)
    look(tmp_path, Limits(max_bytes=6000))
    kept = list(tmp_path.rglob("*.prof"))
    assert 0 < sum(path.stat().st_size for path in kept) <= 6000
    assert all(open_table(path) for path in kept)
    assert names(tmp_path) >= {"marks/12"}


def test_a_script_keeps_the_limits_of_its_environment(tmp_path: Path) -> None:
    script = "from shared.profiling.switch import SWITCH; print(SWITCH.limits)"
    environment = {**os.environ, "GM_PROFILE_MAX_MIB": "3", "GM_PROFILE_MAX_DAYS": "30"}

    told = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert told.strip() == f"Limits(max_bytes={3 * 1024**2}, max_age_seconds={30 * DAY})"


def test_a_records_file_tells_samples_from_calls_by_itself(tmp_path: Path) -> None:
    store = ProfileStore(tmp_path)
    for way in ("sample", "cprofile"):
        with watching(Subject("call", way, way), store):
            until = time.perf_counter() + 0.2
            while time.perf_counter() < until:
                entry()

    told = {record["way"]: has_samples(store.profile_of(record)) for record in store.list_records()}

    assert told == {"sample": True, "cprofile": False}
