"""`gm profile`: opens profiles, explains slow tasks and requests, and has the next run of a task profiled."""

from __future__ import annotations

import functools
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from shared.ops.env_file import read_env
from shared.profiling import report, terminal
from shared.profiling.flame import draw_flame
from shared.profiling.graph import PICTURES, WHERE_INSTALLED, NotDrawn, dot_text, draw
from shared.profiling.growth import growth_of
from shared.profiling.joining import NothingKept, find_kept, join
from shared.profiling.next_run import NeverRuns, foretell_run
from shared.profiling.pstat_tables import NoProfile, Table, open_table
from shared.profiling.store import ProfileStore
from shared.profiling.switch import FOLDER, Limits
from shared.profiling.ways import WAYS
from shared.secret_files import read_secret_files

ROOT = Path(__file__).resolve().parents[2]
_MIB = 1024 * 1024
_SHOWN = 12
_SUFFIXES = (".prof", ".stat", ".pstats", ".out")


@click.group()
@click.option("--folder", type=click.Path(path_type=Path), help=f"Folder of profiles.  [default: ${FOLDER}]")
@click.pass_context
def profile(context: click.Context, folder: Path | None) -> None:
    """Find out why something is slow; FILE is any pstats file, or the id of a record."""
    context.obj = folder
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names in letters that the terminal lacks
            stream.reconfigure(errors="replace")


def _explained(command: Callable[..., None]) -> Callable[..., None]:
    """Say what went wrong in a sentence."""

    @functools.wraps(command)
    def explained(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except (NoProfile, NotDrawn, NothingKept, NeverRuns, report.NotAsked, ValueError) as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            raise click.ClickException(f"This needs {error.name}: {WHERE_INSTALLED}.") from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or 'The file'}: {error.strerror or error}.") from error

    return explained


@profile.command()
@click.option("-f", "--file", required=True, help="The profile.")
@click.option(
    "-s", "--sort", multiple=True, default=report.DEFAULT_SORT, help="Order; more than one: then by the next."
)
@click.option("-p", "--percent", default=report.DEFAULT_PERCENT, help="Fraction of the rows (0.1), or a pattern.")
@click.option("-d", "--directories", is_flag=True, help="Keep the folders of paths.")
@click.pass_obj
@_explained
def stat(folder: Path | None, file: str, sort: Sequence[str], percent: str, directories: bool) -> None:
    """Print the functions of a profile."""
    click.echo(report.statistics(_find_file(folder, file), sort, percent, directories))


@profile.command()
@click.argument("file")
@click.argument("pattern")
@click.pass_obj
@_explained
def callers(folder: Path | None, file: str, pattern: str) -> None:
    """Print who called the functions that match."""
    click.echo(report.callers(_find_file(folder, file), pattern))


@profile.command()
@click.argument("file")
@click.argument("pattern")
@click.pass_obj
@_explained
def callees(folder: Path | None, file: str, pattern: str) -> None:
    """Print whom the functions that match called."""
    click.echo(report.callees(_find_file(folder, file), pattern))


@profile.command()
@click.argument("file", metavar="FILE|TASK|REQUEST|RECORD")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="out.svg, out.png, out.pdf, out.dot"
)
@click.option(
    "-n",
    "--least-percent",
    type=click.FloatRange(0, 100),
    default=0.5,
    show_default=True,
    help="Leave out functions below this share.",
)
@click.pass_obj
@_explained
def graph(folder: Path | None, file: str, output: Path, least_percent: float) -> None:
    """Draw who calls whom: each function with its total share, (own share) and calls.

    Where Graphviz is not installed, the DOT text is written all the same.
    """
    form = output.suffix.removeprefix(".").lower()
    if form not in (*PICTURES, "dot"):
        raise click.ClickException(f"{output.name} is none of *.svg, *.png, *.pdf, *.dot.")
    dot = dot_text(_find_table(folder, file), least_percent, least_percent / 5)
    if form == "dot":
        output.write_text(dot, "utf-8")
        return
    try:
        output.write_bytes(draw(dot, form))
    except NotDrawn as error:
        text = output.with_suffix(".dot")
        text.write_text(dot, "utf-8")
        raise click.ClickException(f"{error} The graph's text is in {text}.") from error


@profile.command()
@click.argument("file", metavar="FILE|TASK|REQUEST|RECORD")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="out.svg")
@click.pass_obj
@_explained
def flame(folder: Path | None, file: str, output: Path) -> None:
    """Draw a flame graph: the wider, the more time."""
    output.write_text(draw_flame(_find_table(folder, file)), "utf-8")


@profile.command()
@click.argument("before")
@click.argument("after")
@click.option("-n", "--most", type=click.IntRange(min=1), default=20, show_default=True, help="How many functions.")
@click.pass_obj
@_explained
def diff(folder: Path | None, before: str, after: str, most: int) -> None:
    """Print what became slower or faster between two profiles, by own time."""
    files = _find_file(folder, before), _find_file(folder, after)
    terminal.show_differences(report.differences(*files, most))


@profile.command()
@click.option("-n", "--most", type=click.IntRange(min=1), default=20, show_default=True, help="How many names.")
@click.pass_obj
@_explained
def top(folder: Path | None, most: int) -> None:
    """Print which of the profiled requests and functions took most time altogether."""
    sums: dict[str, list[float]] = {}
    for record in _store(folder).list_records():
        sums.setdefault(record["name"], []).append(record["seconds"])
    rows = sorted(((sum(times), max(times), len(times), name) for name, times in sums.items()), reverse=True)
    terminal.show_grid("", ("total s", "worst s", "profiled", "name"), rows[:most])


@profile.command("list")
@click.option(
    "-n", "--most", type=click.IntRange(min=1), default=30, show_default=True, help="How many, the newest first."
)
@click.pass_obj
@_explained
def list_kept(folder: Path | None, most: int) -> None:
    """List the profiles that are kept."""
    terminal.show_records(_store(folder).list_records()[:most])


@profile.command()
@click.argument("wanted", metavar="TASK|REQUEST|RECORD|FILE")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the report as a page: report.html")
@click.pass_obj
@_explained
def explain(folder: Path | None, wanted: str, output: Path | None) -> None:
    """Say where the time of a task, a request or a file went, and what to do about it."""
    from shared.profiling import explanation as why  # noqa: PLC0415 what reads SQL is not everywhere
    from shared.profiling.page import make_page  # noqa: PLC0415

    explanation = why.explain_file(Path(wanted)) if _means_file(wanted) else why.explain(_store(folder), wanted)
    terminal.show_explanation(explanation)
    if output is not None:
        output.write_text(make_page(explanation), "utf-8")
        click.echo(f"\nThe page is {output}.")


@profile.command()
@click.argument("wanted", metavar="TASK|FUNCTION")
@click.option("--way", type=click.Choice(WAYS), default="cprofile", show_default=True, help="How.")
@click.pass_obj
@_explained
def task(folder: Path | None, wanted: str, way: str) -> None:
    """Have the next run of a task, or of a function by its dotted path, profiled once.

    A task that has ended runs no more, unless it is repeatable; name its function then, and start another one like it.
    """
    store = _store(folder)
    is_task = wanted.isascii() and wanted.isdecimal()
    wanted = str(int(wanted)) if is_task else wanted
    told = foretell_run(int(wanted), _settings()) if is_task else ""
    store.mark(wanted, way)
    click.echo(
        f"The next run of {'task ' if is_task else ''}{wanted} is profiled ({way}); then: gm profile explain {wanted}"
    )
    if told:
        click.echo(told)


@profile.command()
@click.argument("name", default="")
@click.pass_obj
@_explained
def memory(folder: Path | None, name: str) -> None:
    """Show what runs took of memory, and which types and lines grew (of runs profiled with --way memory)."""
    found = growth_of(_store(folder).list_records(), name)
    if not found:
        raise NothingKept("There is no record of that name.")
    for growth in found:
        rows = [
            (run.started_at[:19], run.before / _MIB, run.peak / _MIB, run.grew / _MIB, run.record_id)
            for run in growth.runs
        ]
        terminal.show_grid(growth.name, ("began (UTC)", "before MiB", "peak MiB", "grew MiB", "id"), rows[-_SHOWN:])
        if growth.types:
            terminal.show_grid(
                "types that grew", ("objects", "type"), [(many, kind) for kind, many in growth.types[:_SHOWN]]
            )
        if growth.lines:
            rows_of_lines = [(size, many, report.shorten(line)) for line, size, many in growth.lines[:_SHOWN]]
            terminal.show_grid("lines that kept it", ("bytes", "objects", "line"), rows_of_lines)


class _Unreadable(click.ClickException):
    exit_code = 2


@profile.command()
@click.argument("first", metavar="URL|FILE")
@click.argument("second", metavar="URL|FILE")
@_explained
def indexes(first: str, second: str) -> None:
    """Compare the indexes of two databases, such as production's and development's.

    A database is named by its address, or better by a file that has the address and nobody else can read; one of
    SQLite by its path too. Ends with 1 where they differ, and with 2 where one can't be read.
    """
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 the other commands need no database

    from shared.database import reason_of  # noqa: PLC0415
    from shared.profiling.indexes import compare_indexes  # noqa: PLC0415
    from shared.profiling.reaching import NotReached, open_to_read  # noqa: PLC0415

    try:
        found = compare_indexes(open_to_read(first), open_to_read(second))
    except NotReached as error:
        raise _Unreadable(str(error)) from error
    except OSError as error:
        raise _Unreadable(f"{error.filename}: {error.strerror}.") from error
    except SQLAlchemyError as error:
        raise _Unreadable(f"A database can't be read: {reason_of(error)}.") from error
    for difference in found:
        click.echo(f"the second database {'lacks' if difference.is_missing else 'alone has'} the {difference}")
    if found:
        raise SystemExit(1)
    click.echo("Both databases have the same indexes.")


def _means_file(named: str) -> bool:
    """Tell whether a file is meant rather than a record, also where there is none."""
    path = Path(named)
    return path.exists() or os.sep in named or path.suffix in _SUFFIXES


def _find_table(folder: Path | None, named: str) -> Table:
    """Return a file's table, or that of a task, request or record with all that it called."""
    if _means_file(named):
        return open_table(Path(named))
    return join(*find_kept(_store(folder), named))


def _find_file(folder: Path | None, named: str) -> Path:
    """Return a file by its path, or a record's by its id."""
    if _means_file(named):
        return Path(named)
    store = _store(folder)
    record = next((record for record in store.list_records() if record["id"] == named), None)
    if record is None or not store.profile_of(record).is_file():
        raise NothingKept(f"{named} is neither a file nor a record with a profile in {store.folder}.")
    return store.profile_of(record)


def _store(folder: Path | None) -> ProfileStore:
    """Return the folder that was named, or the platform's."""
    found = folder or _settings().get(FOLDER)
    if not found:
        raise NothingKept(f"No folder of profiles is known: name it with --folder or {FOLDER}.")
    return ProfileStore(Path(found), Limits())


def _settings() -> dict[str, str]:
    """Return the platform's settings: `make stack`'s, `make run`'s, this host's, the environment's; the last win."""
    files = (ROOT / ".stack" / "env", ROOT / ".run" / "env", Path(os.environ.get("GM_ETC", "/etc/gm")) / "gm.env")
    settings: dict[str, str] = {}
    for file in files:
        settings |= read_env(file)
    return {**settings, **read_secret_files(os.environ), **os.environ}
