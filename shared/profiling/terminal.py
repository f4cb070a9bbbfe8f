"""Shows explanations and lists in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from shared.profiling.report import Difference
from shared.profiling.store import Record

if TYPE_CHECKING:
    from shared.profiling.explanation import Explanation

_STATEMENTS = 10


def make_console() -> Console:
    """Return the terminal; where there is none, lines are as wide as they need to be to stay greppable."""
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, width=220)


def show_explanation(explanation: Explanation) -> None:
    """Print the whole report."""
    console = make_console()
    console.print(f"[bold]{escape(explanation.title)}[/bold]  {explanation.seconds:.3f} s")
    console.print("\nWhere the time went")
    total = explanation.shares.total or 1.0
    for name, seconds in sorted(explanation.shares.seconds.items(), key=lambda item: -item[1]):
        console.print(f"  {name:10} {seconds:9.3f} s {seconds / total:6.1%}  {'█' * round(30 * seconds / total)}")
    if explanation.slowest:
        console.print(f"\nSlowest function: {escape(explanation.slowest)}")
    if explanation.most_called:
        console.print(f"Most called function: {escape(explanation.most_called)}")
    _show_findings(console, explanation)
    if explanation.functions:
        _print(
            console,
            "Functions by their own time",
            ("calls" if explanation.counts_calls else "samples", "own s", "total s", "function"),
            [(line.calls, line.own_seconds, line.total_seconds, line.name) for line in explanation.functions],
        )
    if explanation.statements:
        _print(
            console,
            "SQL",
            ("times", "total s", "worst s", "rows", "line", "statement"),
            [
                (
                    entry["count"],
                    entry["total_seconds"],
                    entry["worst_seconds"],
                    entry["rows"],
                    entry["line"],
                    entry["shape"][:90],
                )
                for entry in explanation.statements[:_STATEMENTS]
            ],
        )


def _show_findings(console: Console, explanation: Explanation) -> None:
    console.print("\nWhat to do, in this order" if explanation.findings else "\nNothing stands out.")
    for number, finding in enumerate(explanation.findings, start=1):
        console.print(f"  {number}. [bold]{escape(finding.told)}[/bold]")
        console.print(f"     {escape(finding.advice)}")


def show_records(records: Sequence[Record]) -> None:
    """Print what is kept."""
    rows = [
        (
            record["started_at"][:19],
            record["kind"],
            record["way"],
            record["seconds"],
            record["id"],
            record["task_id"] or "",
            record["name"],
        )
        for record in records
    ]
    _print(make_console(), "", ("began (UTC)", "kind", "way", "seconds", "id", "task", "name"), rows)


def show_differences(differences: Sequence[Difference]) -> None:
    """Print what became slower and faster."""
    rows = [
        (
            difference.seconds,
            difference.seconds_before,
            difference.seconds_after,
            difference.calls_before,
            difference.calls_after,
            difference.name,
        )
        for difference in differences
    ]
    _print(make_console(), "", ("change s", "before s", "after s", "calls before", "calls after", "function"), rows)


def show_grid(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table."""
    _print(make_console(), title, columns, rows)


def _print(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    grid = Grid(title=f"\n{title}" if title else None, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        is_text = column in ("function", "line", "statement", "name", "id", "kind", "way", "type")
        grid.add_column(column, justify="left" if is_text else "right", no_wrap=True)
    for row in rows:
        grid.add_row(*(escape(_cell(value)) for value in row))
    console.print(grid)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
