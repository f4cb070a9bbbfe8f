"""`gm profile` opens any pstats file, and says in a sentence what it can't do."""

from __future__ import annotations

import cProfile
import profile
import pstats
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shared.profiling.cli import profile as command
from shared.profiling.pstat_tables import write_table
from shared.profiling.session import Subject, watching
from shared.profiling.store import ProfileStore


def fast(number: int) -> int:
    return number


def slow() -> int:
    return sum(sorted(str(number) for number in range(20_000))[0].count("1") for _ in range(2))


def entry() -> int:
    return sum(fast(number) for number in range(1000)) + slow()


def ask(*arguments: object, folder: Path | None = None) -> Result:
    options = ["--folder", str(folder)] if folder else []
    return CliRunner().invoke(command, [*options, *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "entry.prof"
    profiler = cProfile.Profile()
    profiler.runcall(entry)
    profiler.dump_stats(path)
    return path


def rows(printed: str) -> list[str]:
    """Return the functions of a printed table, in their order."""
    return re.findall(r"^ +[\d/]+ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ (.*)$", printed, re.MULTILINE)


def test_files_of_the_standard_librarys_own_profilers_open(tmp_path: Path) -> None:
    by_module, by_profile = tmp_path / "module.prof", tmp_path / "profile.prof"
    script = tmp_path / "script.py"
    script.write_text("def of_the_script(): return sorted(range(9))\nof_the_script()\n")
    subprocess.run([sys.executable, "-m", "cProfile", "-o", by_module, script], check=True)
    pure = profile.Profile()
    pure.runcall(entry)
    pure.dump_stats(by_profile)

    assert "of_the_script" in ask("stat", "-f", by_module, "-p", "of_the_script").output
    assert "slow" in ask("stat", "-f", by_profile, "-p", "slow").output


def test_stat_sorts_by_cumulative_time_and_prints_half_of_the_rows(file: Path) -> None:
    whole = rows(ask("stat", "-f", file, "-p", "1").output)
    half = rows(ask("stat", "-f", file).output)

    assert "entry" in whole[0]
    assert half == whole[: len(half)]
    assert len(half) == int(len(whole) * 0.5 + 0.5)


def test_stat_takes_orders_fractions_patterns_and_folders(file: Path) -> None:
    by_calls = rows(ask("stat", "-f", file, "-s", "calls", "-s", "time", "-p", "0.2").output)
    matching = ask("stat", "-f", file, "-p", "fast", "-d").output

    assert "fast" in by_calls[0] or "genexpr" in by_calls[0]
    assert [Path(row.split(":")[0]).is_absolute() for row in rows(matching)] == [True]


def test_callers_and_callees_are_told(file: Path) -> None:
    assert "entry" in ask("callers", file, "slow").output
    assert "builtins.sum" in ask("callees", file, "slow").output


@pytest.mark.usefixtures("graphviz")
@pytest.mark.parametrize(("name", "begins"), [("out.svg", b"<?xml"), ("out.png", b"\x89PNG"), ("out.dot", b"digraph")])
def test_the_graph_is_drawn(file: Path, tmp_path: Path, name: str, begins: bytes) -> None:
    done = ask("graph", file, "-o", tmp_path / name)

    assert done.exit_code == 0, done.output
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_each_node_has_name_total_share_own_share_and_calls(file: Path, tmp_path: Path) -> None:
    ask("graph", file, "-o", tmp_path / "out.dot", "-n", 0)

    [label] = re.findall(r'label="([^"]*:fast\\n[^"]*)"', (tmp_path / "out.dot").read_text())
    assert re.fullmatch(r"test_cli:\d+:fast\\n\d+\.\d+%\\n\(\d+\.\d+%\)\\n1000×", label)


def test_where_dot_is_missing_a_sentence_says_so_and_the_text_is_written(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    done = ask("graph", file, "-o", tmp_path / "out.svg")

    assert done.exit_code == 1
    assert "dot is not installed" in done.output
    assert "digraph" in (tmp_path / "out.dot").read_text()
    assert not (tmp_path / "out.svg").exists()


def test_the_flame_graph_is_a_picture_of_its_own(file: Path, tmp_path: Path) -> None:
    ask("flame", file, "-o", tmp_path / "flame.svg")

    picture = (tmp_path / "flame.svg").read_text()
    assert "(slow)" in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")


def test_diff_puts_what_changed_most_first(file: Path, tmp_path: Path) -> None:
    later = tmp_path / "later.prof"
    profiler = cProfile.Profile()
    profiler.runcall(lambda: [entry() for _ in range(5)])
    profiler.dump_stats(later)

    printed = ask("diff", file, later).output

    assert re.search(r"1,000 +5,000 +\S*test_cli.py\(fast\)", printed), printed


def test_kept_records_are_listed_ranked_and_explained(tmp_path: Path) -> None:
    store = ProfileStore(tmp_path)
    for number in range(2):
        with watching(Subject("task", "shop.work", "cprofile", f"r{number}", 40 + number, 1), store):
            entry()

    assert ask("list", folder=tmp_path).output.count("shop.work") == 2
    assert re.search(r"2 +shop\.work", ask("top", folder=tmp_path).output)
    for wanted in ("40", "r0"):
        told = ask("explain", wanted, folder=tmp_path).output
        assert "task 40, run 1: shop.work" in told
        assert re.search(r"Most called function: .*test_cli.py:\d+\(fast\)|Most called function: .*genexpr", told)


def test_the_page_needs_nothing_from_elsewhere(file: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"

    ask("explain", file, "-o", page)

    text = page.read_text()
    assert "(slow)" in text
    assert "<script" not in text
    assert set(re.findall(r"https?://[\w./-]+", text)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


@pytest.mark.parametrize(
    "arguments", [("stat", "-f", "{}"), ("callers", "{}", "x"), ("explain", "{}"), ("flame", "{}", "-o", "x.svg")]
)
@pytest.mark.parametrize("content", [b"", b"no profile", b"{", b"i\x01\x00\x00\x00"])
def test_what_is_no_profile_is_refused_in_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], content: bytes
) -> None:
    (tmp_path / "other.prof").write_bytes(content)

    done = ask(*(part.replace("{}", str(tmp_path / "other.prof")) for part in arguments))

    assert done.exit_code == 1
    assert "is not a profile" in done.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("explain", "99"), "There is no profile of 99"),
        (("stat", "-f", "absent.prof"), "absent.prof can't be read"),
        (("stat", "-f", "absent"), "neither a file nor a record"),
        (("explain", "absent.prof"), "absent.prof can't be read"),
        (("task", "../x"), "neither a task's id"),
        (("task", "misspelt"), "neither a task's id"),
        (("task", "shop..work"), "neither a task's id"),
    ],
)
def test_what_is_not_there_is_told(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    done = ask(*arguments, folder=tmp_path)

    assert done.exit_code == 1
    assert told in done.output


@pytest.mark.parametrize("pattern", ["inf", "nan", "1e999", "-1"])
def test_numbers_that_are_none_are_patterns(file: Path, pattern: str) -> None:
    done = ask("stat", "-f", file, "-p", pattern)

    assert done.exit_code == 1
    assert f"No function of entry.prof matches '{pattern}'." in done.output


@pytest.mark.parametrize(
    "arguments", [("list", "-n", "0"), ("top", "-n", "-3"), ("graph", "x", "-o", "y", "-n", "nan")]
)
def test_counts_that_make_no_sense_are_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert ask(*arguments, folder=tmp_path).exit_code != 0


def test_unknown_orders_and_patterns_are_told(file: Path) -> None:
    assert "There is no order" in ask("stat", "-f", file, "-s", "colour").output
    assert "not a pattern" in ask("stat", "-f", file, "-p", "(").output


def test_a_function_is_marked_for_its_next_run(tmp_path: Path) -> None:
    done = ask("task", "shop.work", "--way", "memory", folder=tmp_path)

    assert "The next run of shop.work is profiled (memory)" in done.output
    assert ProfileStore(tmp_path).take_mark("shop.work") == "memory"
    assert ProfileStore(tmp_path).take_mark("shop.work") is None


def test_pstats_itself_opens_what_is_kept(tmp_path: Path) -> None:
    store = ProfileStore(tmp_path)
    with watching(Subject("call", "entry", "cprofile"), store):
        entry()

    stats = pstats.Stats(str(store.profile_of(store.list_records()[0])))

    assert stats.get_stats_profile().func_profiles["slow"].ncalls == "1"


WITHOUT = """
import sys
for missing in ("sqlglot", "gprof2dot", "jinja2", "supervisor"):
    sys.modules[missing] = None
import runpy
sys.argv[0] = "gm profile"
runpy.run_module("shared.profiling", run_name="__main__")
"""


def ask_in_an_image(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command where nothing is installed that only hosts have."""
    argv = [sys.executable, "-c", WITHOUT, "--folder", str(folder), *map(str, arguments)]
    root = Path(__file__).parents[3]
    return subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False)


def test_without_what_reads_sql_and_draws_the_rest_works(file: Path, tmp_path: Path) -> None:
    store = ProfileStore(tmp_path)
    with watching(Subject("task", "shop.work", "cprofile", "r1", 40, 1), store):
        entry()
    [record] = store.list_records()

    told = {
        arguments[0]: ask_in_an_image(*arguments, folder=tmp_path)
        for arguments in (
            ("stat", "-f", file, "-p", "slow"),
            ("callees", record["id"], "entry"),
            ("flame", "40", "-o", tmp_path / "flame.svg"),
            ("list",),
        )
    }

    assert {name: done.returncode for name, done in told.items()} == dict.fromkeys(told, 0), told
    assert "slow" in told["stat"].stdout
    assert "shop.work" in told["list"].stdout
    assert "(slow)" in (tmp_path / "flame.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "needed"), [(("explain", "{}"), "sqlglot"), (("graph", "{}", "-o", "out.dot"), "gprof2dot")]
)
def test_what_is_missing_is_named_with_where_it_is(
    file: Path, tmp_path: Path, arguments: tuple[str, ...], needed: str
) -> None:
    done = ask_in_an_image(*(part.replace("{}", str(file)) for part in arguments), folder=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: This needs {needed}: it comes with the extra `explain`"), done.stderr


def test_a_recursion_at_the_beginning_of_everything_is_drawn(tmp_path: Path) -> None:
    def down(number: int) -> int:
        return number and up(number - 1)

    def up(number: int) -> int:
        return number and down(number - 1)

    for name, begin in (("alone", lambda: recurse(400)), ("mutual", lambda: down(400))):
        profiler = cProfile.Profile()
        profiler.enable()
        begin()
        profiler.disable()
        table = {place: row for place, row in pstats.Stats(profiler).stats.items() if "lambda" not in place[2]}  # type: ignore[attr-defined]
        for row in table.values():
            for caller in [caller for caller in row[4] if "lambda" in caller[2]]:
                del row[4][caller]
        write_table(table, tmp_path / f"{name}.prof")
        ask("flame", tmp_path / f"{name}.prof", "-o", tmp_path / f"{name}.svg")

    assert "(recurse)" in (tmp_path / "alone.svg").read_text()
    assert {"(down)", "(up)"} <= set(re.findall(r"\(\w+\)", (tmp_path / "mutual.svg").read_text()))


def recurse(number: int) -> int:
    return number and recurse(number - 1)


def test_a_profile_without_any_time_is_explained(tmp_path: Path) -> None:
    write_table({("shop.py", 1, "nothing"): (1, 1, 0.0, 0.0, {})}, tmp_path / "zero.prof")

    done = ask("explain", tmp_path / "zero.prof")

    assert done.exit_code == 0, done.output
    assert "nothing" in done.output


@pytest.mark.parametrize("content", ["{}", "[]", "7", '{"id": "x", "started_at": "2026"}', '{"id"'])
@pytest.mark.parametrize("arguments", [("list",), ("top",), ("explain", "7"), ("memory",)])
def test_a_file_among_the_records_that_is_none_is_left_alone(
    tmp_path: Path, content: str, arguments: tuple[str, ...]
) -> None:
    with watching(Subject("task", "shop.work", "ledger", "r", 7, 1), ProfileStore(tmp_path)):
        entry()
    (tmp_path / "records" / "other.json").write_text(content)

    done = ask(*arguments, folder=tmp_path)

    assert done.exit_code == 0, done.output
    assert "shop.work" in done.output
