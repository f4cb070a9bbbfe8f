"""Decorated functions: a whole file for each call while profiling is on, nothing while it is off."""

from __future__ import annotations

import functools
import os
import pstats
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from shared.context import bound
from shared.profiling.decorator import do_cprofile, do_sampling, monitor_profile
from shared.profiling.explanation import explain_file
from shared.profiling.switch import SWITCH, Limits


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    before = SWITCH.decorated, SWITCH.folder, SWITCH.limits
    SWITCH.decorated, SWITCH.folder, SWITCH.limits = True, tmp_path, Limits()
    yield tmp_path
    SWITCH.decorated, SWITCH.folder, SWITCH.limits = before


def spin(times: int) -> int:
    return sum(one(number) for number in range(times))


def one(number: int) -> int:
    return number


def calls(path: Path, function: str) -> int:
    """Return how often the profile saw functions of that name."""
    table: dict[Any, Any] = pstats.Stats(str(path)).stats  # type: ignore[attr-defined]
    return sum(row[1] for place, row in table.items() if place[2] == function)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_call_writes_its_file_and_the_folders_above(folder: Path) -> None:
    entry = do_cprofile("path/to/entry.prof")(spin)

    assert entry(30) == sum(range(30))
    assert calls(folder / "path/to/entry.prof", "one") == 30


def test_a_later_call_replaces_the_file(folder: Path) -> None:
    entry = do_cprofile("entry.prof")(spin)

    entry(30)
    entry(7)

    assert names(folder) == {"entry.prof"}
    assert calls(folder / "entry.prof", "one") == 7


def test_nothing_is_written_when_switched_off(folder: Path) -> None:
    entry = do_cprofile("entry.prof")(spin)
    SWITCH.decorated = False

    assert entry(3) == 3
    assert names(folder) == set()


def test_an_exception_passes_through_and_the_profile_is_written(folder: Path) -> None:
    @do_cprofile("entry.prof")
    def fail() -> None:
        one(1)
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        fail()

    assert calls(folder / "entry.prof", "one") == 1


def test_nested_calls_each_get_a_whole_file(folder: Path) -> None:
    inner = do_cprofile("inner.prof")(spin)

    @do_cprofile("outer.prof")
    def outer() -> None:
        one(0)
        inner(10)
        one(0)

    outer()

    assert calls(folder / "inner.prof", "one") == 10
    assert calls(folder / "inner.prof", "spin") == 1
    assert calls(folder / "outer.prof", "one") == 12
    assert calls(folder / "outer.prof", "outer") == 1


def test_nested_calls_of_one_name_do_not_replace_one_another(folder: Path) -> None:
    @do_cprofile("deep.prof")
    def deep(levels: int) -> None:
        if levels:
            deep(levels - 1)

    deep(2)

    assert sorted(calls(folder / name, "deep") for name in names(folder)) == [1, 2, 3]


def test_threads_that_run_at_once_each_get_a_whole_file(folder: Path) -> None:
    together = threading.Barrier(2, timeout=10)

    @do_cprofile("threads.prof")
    def work(times: int) -> None:
        together.wait()
        spin(times)
        together.wait()

    threads = [threading.Thread(target=work, args=(times,)) for times in (20, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert names(folder) == {"threads.prof", "threads-2.prof"}
    assert {calls(folder / name, "one") for name in names(folder)} == {20, 50}


def test_a_generator_is_profiled_without_what_its_consumer_does(folder: Path) -> None:
    @do_cprofile("rows.prof")
    def rows() -> Iterator[int]:
        for number in range(3):
            yield one(number)

    for _ in rows():
        spin(5)

    assert calls(folder / "rows.prof", "one") == 3
    assert calls(folder / "rows.prof", "spin") == 0


def test_a_nested_generator_of_many_steps_slows_its_caller_down_for_a_bounded_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.profiling.recorders._SEPARATING_SECONDS", 0.02)

    @do_cprofile("rows.prof")
    def rows() -> Iterator[int]:
        for number in range(20_000):
            yield one(number)

    @do_cprofile("outer.prof")
    def outer() -> int:
        return sum(rows())

    began = time.perf_counter()
    assert outer() == sum(range(20_000))

    assert time.perf_counter() - began < 5
    assert 0 < calls(folder / "rows.prof", "one") < 20_000
    assert calls(folder / "outer.prof", "one") == 20_000


def test_a_generator_takes_values_and_exceptions_and_returns_as_it_does_undecorated(folder: Path) -> None:
    @do_cprofile("rows.prof")
    def echo() -> Any:
        try:
            sent = yield "first"
            yield sent
        except LookupError:
            yield "caught"
        return "end"

    def consume() -> Any:
        return (yield from echo())

    taken = echo()
    assert [next(taken), taken.send("sent"), taken.throw(LookupError())] == ["first", "sent", "caught"]
    taken = consume()
    next(taken)
    taken.send(1)
    with pytest.raises(StopIteration) as stop:
        next(taken)
    assert stop.value.value == "end"
    assert "rows.prof" in names(folder)


def test_a_closed_generator_writes_its_profile(folder: Path) -> None:
    @do_cprofile("rows.prof")
    def rows() -> Iterator[int]:
        yield one(1)
        yield one(2)

    taken = iter(rows())
    next(taken)
    taken.close()  # type: ignore[attr-defined]

    assert calls(folder / "rows.prof", "one") == 1


def test_a_flask_view_keeps_its_name_and_answers_as_before(folder: Path) -> None:
    app = Flask("views")

    @app.get("/orders/<int:number>")
    @do_cprofile("views/{function}-{request_id}.prof")
    def orders(number: int) -> str:
        return str(spin(number))

    with bound(request_id="r-1"):
        assert app.test_client().get("/orders/4").text == "6"

    assert "orders" in app.view_functions
    assert calls(folder / "views/orders-r-1.prof", "one") == 4


def test_a_path_without_a_suffix_is_a_folder(folder: Path) -> None:
    do_cprofile("calls")(spin)(1)
    do_cprofile("calls/")(spin)(1)

    assert len(list((folder / "calls").glob("spin-*-none.prof"))) == 2


def test_a_folder_that_is_there_is_one_whatever_its_name(folder: Path) -> None:
    (folder / "prof.d").mkdir()

    do_cprofile("prof.d")(spin)(1)

    assert len(list((folder / "prof.d").glob("spin-*-none.prof"))) == 1


def test_a_pattern_without_a_suffix_names_a_file(folder: Path) -> None:
    do_cprofile("runs/{function}-{time}")(spin)(1)
    do_cprofile("{request_id}/{function}/")(spin)(1)

    assert len(list((folder / "runs").glob("spin-*Z.prof"))) == 1
    assert len(list((folder / "none/spin").glob("spin-*.prof"))) == 1


@pytest.mark.parametrize("request_id", ["..", "../../up", ".hidden", "a/b"])
def test_a_request_id_leads_to_no_other_folder(folder: Path, request_id: str) -> None:
    with bound(request_id=request_id):
        do_cprofile("views/{request_id}.prof")(spin)(1)
        do_cprofile("views/{request_id}/entry.prof")(spin)(1)

    assert len(names(folder)) == 2
    assert all(name.startswith("views/") for name in names(folder))


def test_functions_without_a_name_of_their_own_are_profiled(folder: Path) -> None:
    monitor_profile(lambda: spin(5))()
    monitor_profile(functools.partial(spin, 6))()

    assert calls(folder / "_lambda_.stat", "one") == 5
    assert calls(folder / "partial.stat", "one") == 6


def test_monitor_profile_names_the_file_after_the_function(folder: Path) -> None:
    monitor_profile(spin)(5)

    assert calls(folder / "spin.stat", "one") == 5


def test_a_pattern_that_names_something_else_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="may name"):
        do_cprofile("{user}.prof")


def test_a_decorator_without_a_path_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="name where to write"):
        do_cprofile(spin)  # type: ignore[arg-type]


def test_a_coroutine_is_refused_at_once() -> None:
    async def fetch() -> None: ...

    with pytest.raises(TypeError, match="coroutine"):
        do_cprofile("x.prof")(fetch)


def test_a_file_that_cannot_be_written_does_not_fail_the_call(folder: Path) -> None:
    (folder / "taken").write_text("a file where a folder must be")

    assert do_cprofile("taken/entry.prof")(spin)(3) == 3


def test_a_profile_that_cannot_be_made_does_not_fail_the_call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(recorder: object) -> None:
        raise LookupError("broken")

    monkeypatch.setattr("shared.profiling.recorders.CallRecorder.table", fail)

    assert do_cprofile("entry.prof")(spin)(3) == 3
    assert names(folder) == set()


def burn(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        one(1)


def test_sampling_finds_where_the_time_went(folder: Path) -> None:
    do_sampling("sampled.prof")(burn)(0.2)

    table: dict[Any, Any] = pstats.Stats(str(folder / "sampled.prof")).stats  # type: ignore[attr-defined]
    total = next(row[3] for place, row in table.items() if place[2] == "burn")
    assert 0.1 < total < 1.0


def test_a_report_of_samples_does_not_take_them_for_calls(folder: Path) -> None:
    do_sampling("sampled.prof")(burn)(0.2)
    do_cprofile("counted.prof")(burn)(0.01)

    sampled, counted = (explain_file(folder / name) for name in ("sampled.prof", "counted.prof"))

    assert (sampled.counts_calls, sampled.most_called) == (False, "")
    assert counted.counts_calls
    assert counted.most_called


def test_two_processes_at_once_each_write_a_whole_file(folder: Path) -> None:
    script = (
        "from shared.profiling.decorator import do_cprofile\n"
        "def one(number): return number\n"
        "do_cprofile('both.prof')(lambda: [one(number) for number in range(30)])()\n"
    )
    environment = {**os.environ, "GM_PROFILE_DECORATED": "1", "GM_PROFILE_DIR": str(folder)}

    @do_cprofile("both.prof")
    def while_the_other_writes() -> None:
        root = Path(__file__).parents[3]
        subprocess.run([sys.executable, "-c", script], cwd=root, env=environment, check=True, stdout=subprocess.PIPE)
        spin(50)

    while_the_other_writes()

    assert calls(folder / "both.prof", "one") == 30
    assert calls(folder / "both-2.prof", "one") == 50


def test_what_cannot_be_sampled_runs_all_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    interval = sys.getswitchinterval()

    assert do_sampling("sampled.prof")(spin)(3) == 3

    assert names(folder) == set()
    assert sys.getswitchinterval() == interval


def test_sampling_goes_on_after_a_nested_call_was_counted(folder: Path) -> None:
    counted = do_cprofile("counted.prof")(spin)

    @do_sampling("sampled.prof")
    def both() -> None:
        counted(50)
        burn(0.15)

    both()

    assert calls(folder / "counted.prof", "one") == 50
    assert calls(folder / "sampled.prof", "burn") > 0


def test_the_folder_keeps_within_its_size(folder: Path) -> None:
    SWITCH.limits = Limits(max_bytes=4000)
    entry = do_cprofile("runs/{function}-{time}.prof")(spin)

    for _ in range(40):
        entry(3)

    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert kept
    assert sum(path.stat().st_size for path in kept) <= 4000


def test_what_is_no_profile_is_never_removed_from_the_folder(folder: Path) -> None:
    SWITCH.limits = Limits(max_bytes=4000)
    (folder / "orders.db").write_bytes(b"x" * 9000)
    os.utime(folder / "orders.db", (0, 0))

    do_cprofile("entry.prof")(spin)(3)

    assert names(folder) == {"orders.db", "entry.prof"}
