"""Profiles of other profilers and other Pythons open; files that are none are told as such, and do no harm."""

from __future__ import annotations

import cProfile
import marshal
import os
import pstats
import random
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from shared.profiling.cli import profile as command
from shared.profiling.pstat_tables import NoProfile, open_table

ROOT = Path(__file__).parents[3]
FILES = Path(__file__).parent / "files"
"""each of {("profile", 0, <code of a script>): ..., ("script.py", 1, "f"): ...}, by that version's marshal"""
SCRIPT = "def of_the_script(n): return n and of_the_script(n - 1)\nof_the_script(9)\n"


def ask(*arguments: object) -> str:
    done = CliRunner().invoke(command, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return done.output


def write(path: Path, table: Any) -> Path:
    path.write_bytes(marshal.dumps(table))
    return path


@pytest.fixture(params=["cProfile", "profile"])
def of_a_script(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "script.py").write_text(SCRIPT)
    argv = [sys.executable, "-m", request.param, "-o", "script.prof", "script.py"]
    subprocess.run(argv, cwd=tmp_path, check=True)
    return tmp_path / "script.prof"


def test_files_of_a_profiled_script_open_with_every_command(of_a_script: Path, tmp_path: Path) -> None:
    assert "of_the_script" in ask("stat", "-f", of_a_script, "-p", "of_the_script")
    assert "of_the_script" in ask("callers", of_a_script, "of_the_script")
    assert "of_the_script" in ask("callees", of_a_script, "of_the_script")
    assert "of_the_script" in ask("diff", of_a_script, of_a_script, "-n", 1000)
    assert "of_the_script" in ask("explain", of_a_script, "-o", tmp_path / "report.html")
    ask("graph", of_a_script, "-o", tmp_path / "out.dot", "-n", 0)
    ask("flame", of_a_script, "-o", tmp_path / "out.svg")
    assert "of_the_script" in (tmp_path / "out.dot").read_text()


def test_what_pstats_added_up_and_wrote_opens(of_a_script: Path, tmp_path: Path) -> None:
    both = pstats.Stats(str(of_a_script))
    both.add(str(of_a_script))
    both.strip_dirs()
    both.dump_stats(tmp_path / "both.prof")

    calls = {place[2]: row[1] for place, row in open_table(tmp_path / "both.prof").items()}
    assert calls["of_the_script"] == 20


@pytest.mark.parametrize("file", sorted(FILES.glob("*.prof")), ids=lambda file: file.stem)
def test_files_of_other_pythons_open(file: Path) -> None:
    script = ("profile", 0, '<code object <module>, file "script.py", line 1>')

    table = open_table(file)

    called = {place for place, row in table.items() if row[1]}  # 2.7 leaves out a caller, the profiler itself
    assert called == {script, ("script.py", 1, "f")}
    assert table[script] == (1, 1, 0.25, 1.5, {("profile", 0, "profiler"): 1})
    assert table["script.py", 1, "f"][4] == {script: 1, ("script.py", 1, "f"): 1}


def test_what_marshal_writes_is_read_as_marshal_reads_it(tmp_path: Path) -> None:
    profiler = cProfile.Profile()
    profiler.runcall(lambda: sorted(str(number) for number in range(50)))
    profiler.dump_stats(tmp_path / "own.prof")

    assert open_table(tmp_path / "own.prof") == marshal.loads((tmp_path / "own.prof").read_bytes())


def test_profilers_that_count_nothing_or_measure_below_zero_are_taken(tmp_path: Path) -> None:
    table = {("a.py", 1, "sampled"): (-1, -1, 0.5, 0.5, {}), ("a.py", 2, "calibrated"): (1, 1, -3.0, -2.5, {})}

    assert open_table(write(tmp_path / "other.prof", table)) == table


@pytest.mark.parametrize("counts", [1, (1, 1, 1.0, 1.0)], ids=["calls alone", "calls and times"])
def test_callers_that_a_profiler_left_out_break_no_command(tmp_path: Path, counts: object) -> None:
    file = write(tmp_path / "part.prof", {("a.py", 1, "called"): (1, 1, 1.0, 1.0, {("a.py", 5, "left_out"): counts})})

    assert "called" in ask("stat", "-f", file, "-p", "1.0")
    assert "left_out" in ask("callers", file, "called")
    assert "called" in ask("callees", file, "left_out")
    assert "called" in ask("explain", file, "-o", tmp_path / "report.html")
    ask("graph", file, "-o", tmp_path / "out.dot")
    ask("flame", file, "-o", tmp_path / "out.svg")
    assert "called" in (tmp_path / "out.dot").read_text()


def test_names_that_would_command_a_terminal_are_shown_harmless(tmp_path: Path) -> None:
    table = {("a\x1b[2J.py", 1, "求和\x00"): (1, 1, 0.5, 0.5, {}), ("b.py", 2, "lone\udce4"): (1, 1, 0.5, 0.5, {})}
    file = write(tmp_path / "other.prof", table)

    told = ask("stat", "-f", file) + ask("explain", file, "-o", tmp_path / "report.html")
    ask("flame", file, "-o", tmp_path / "out.svg")

    assert "\x1b" not in told
    assert "求和?" in told
    assert {node.tag.rpartition("}")[2] for node in ElementTree.parse(tmp_path / "out.svg").iter()} >= {"rect", "title"}


def test_letters_that_the_terminal_lacks_are_no_reason_to_fail(tmp_path: Path) -> None:
    file = write(tmp_path / "other.prof", {("a.py", 1, "求和"): (1, 1, 0.5, 0.5, {})})
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "ascii",
        "PYTHONUTF8": "0",
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
    }

    for arguments in (["explain", file], ["flame", file, "-o", "out.svg"], ["graph", file, "-o", "out.dot"]):
        argv = [sys.executable, "-m", "shared.profiling", *map(str, arguments)]
        done = subprocess.run(
            argv, cwd=tmp_path, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert "求和" in (tmp_path / "out.svg").read_text("utf-8")


@pytest.mark.parametrize(
    "table",
    [
        {},
        [],
        17,
        {1: 2},
        {("a.py", 1, "f"): (1, 1, 0.1)},
        {("a.py", "1", "f"): (1, 1, 0.1, 0.1, {})},
        {("a.py", 1, "f"): (1, 1, float("nan"), 0.1, {})},
        {("a.py", 1, "f"): (1, 10**400, 0.1, 0.1, {})},
        {("a.py", 1, "f"): (1, 1, 0.1, 0.1, {("b.py", 1): 1})},
        {("a.py", 1, "f"): (1, 1, 0.1, 0.1, {("b.py", 1, "g"): "often"})},
        {("a.py", 1, "f"): (1, 1, 0.1, 0.1, [])},
    ],
)
def test_marshalled_values_that_are_no_profile_are_refused(tmp_path: Path, table: Any) -> None:
    with pytest.raises(NoProfile, match="is not a profile"):
        open_table(write(tmp_path / "other.prof", table))


@pytest.mark.parametrize(
    "content",
    [
        b"(\xff\xff\xff\x7f",
        b"(\xff\xff\xff\xff",
        b"(\x01\x00\x00\x00" * 5000,
        b"{r\x00\x00\x00\x00N0",
        b"{r\xff\xff\xff\xffN0",
        b"l\xff\xff\xff\x7f",
        b"c" + b"\x00" * 40,
        b"{{0N0",
    ],
)
def test_hostile_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.prof").write_bytes(content)

    with pytest.raises(NoProfile, match="is not a profile"):
        open_table(tmp_path / "other.prof")


def test_damaged_profiles_open_or_are_refused_but_break_nothing(tmp_path: Path) -> None:
    chance = random.Random(6)
    whole = (FILES / "python-3.12.prof").read_bytes()

    for _ in range(500):
        damaged = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.3 else whole)
        for _ in range(chance.randrange(4)):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        (tmp_path / "damaged.prof").write_bytes(damaged)
        try:
            open_table(tmp_path / "damaged.prof")
        except NoProfile as error:
            assert "is not a profile" in str(error)


def test_folders_and_pipes_are_refused_in_a_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.prof")

    for place in (tmp_path, tmp_path / "pipe.prof"):
        with pytest.raises(NoProfile, match="is not a file"):
            open_table(place)
