"""`gm ops workers`."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from shared.errors import PlatformError
from shared.ops.asking import platform_options
from shared.ops.platform import Platform
from shared.ops.supervisors import Program, SupervisorAway
from shared.ops.workers.leftovers import Candidate, find_leftovers
from shared.ops.workers.local import LocalWorker, end_gracefully, find_local_workers
from shared.task_api.workers import Worker, WorkerLane

_FILE_COLUMNS = 400
_STOP_SECONDS = 90.0
"""more than supervisor's stopwaitsecs of a worker"""


@click.command()
@click.option("--prune", is_flag=True, help="End this host's leftovers gracefully.")
@click.option("--expect", type=click.IntRange(min=0), help="How many workers this host should have.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@platform_options
def workers(platform: Platform, prune: bool, expect: int | None, as_json: bool) -> None:
    """List every worker of every host, and what is left over on this one.

    Left over is what supervisor does not know, and with --expect what is beyond that number.
    """
    try:
        reported = platform.workers().list()
    except PlatformError as error:
        raise click.ClickException(f"The task service can't be asked: {error}") from error
    local = find_local_workers(platform.async_task_url)
    supervised = _supervised(platform)
    if supervised is None and expect is None:
        _say_unknown(prune=prune)
    leftovers = {} if supervised is None and expect is None else _leftovers(local, supervised, reported, expect)
    rows = [_row(worker, leftovers) for worker in reported] + _unreported(local, reported, leftovers)
    click.echo(json.dumps(rows, ensure_ascii=False)) if as_json else _print(rows)
    if prune:
        _prune(leftovers, platform, supervised or {})


def _supervised(platform: Platform) -> dict[int, Program] | None:
    """Return this host's processes that supervisor knows, by id; None where it is away, which is said."""
    try:
        return {program.pid: program for program in platform.supervisor().programs() if program.pid}
    except SupervisorAway as error:
        click.echo(str(error), err=True)
        return None


def _say_unknown(*, prune: bool) -> None:
    """Say that anything could be left over.

    Raises:
        ClickException: it was to be ended.
    """
    said = "So nobody knows what is left over here; say how many workers to --expect."
    if prune:
        raise click.ClickException(said)
    click.echo(said, err=True)


def _leftovers(
    local: list[LocalWorker], supervised: Mapping[int, Program] | None, reported: list[Worker], expect: int | None
) -> dict[int, str]:
    here = socket.gethostname()
    drained = {worker.pid for worker in reported if worker.host == here and worker.lane is WorkerLane.DRAINED}
    candidates = [
        Candidate(each.pid, supervised is None or each.pid in supervised, each.pid in drained, each.age_seconds)
        for each in local
    ]
    return find_leftovers(candidates, expect)


def _row(worker: Worker, leftovers: dict[int, str]) -> dict[str, Any]:
    here = worker.host == socket.gethostname()
    shown = {"name", "host", "pid", "version", "lane", "serve", "state", "runs", "seen_seconds"}
    return {
        **worker.model_dump(mode="json", include=shown),
        "left_over": leftovers.get(worker.pid) if here else None,
    }


def _unreported(local: list[LocalWorker], reported: list[Worker], leftovers: dict[int, str]) -> list[dict[str, Any]]:
    """Return the workers of this host that the task service has never heard of."""
    here = socket.gethostname()
    known = {worker.pid for worker in reported if worker.host == here}
    unknown: dict[str, Any] = {
        "name": "-",
        "host": here,
        "lane": "-",
        "serve": [],
        "state": "never reported",
        "runs": [],
        "seen_seconds": None,
    }
    return [
        {**unknown, "pid": each.pid, "version": each.release, "left_over": leftovers.get(each.pid)}
        for each in local
        if each.pid not in known
    ]


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("host", "pid", "version", "lane", "serves", "state", "runs", "left over"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        seen = "" if row["seen_seconds"] is None else f", {row['seen_seconds']:.0f} s ago"
        runs = "\n".join(f"{run['task_id']} {run['task_name']} {_age(run['seconds'])}" for run in row["runs"])
        table.add_row(
            row["host"],
            str(row["pid"]),
            row["version"],
            row["lane"],
            " ".join(row["serve"]) or "-",
            row["state"] + seen,
            runs or "-",
            row["left_over"] or "",
        )
    _console().print(table if rows else "No worker has reported.")


def _console() -> Console:
    """Return one that folds lines for people at a terminal only: what a file or `grep` gets is a line a worker."""
    console = Console()
    return console if console.is_terminal else Console(width=_FILE_COLUMNS)


def _age(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _prune(leftovers: dict[int, str], platform: Platform, supervised: Mapping[int, Program]) -> None:
    def stops(pid: int) -> bool:
        if pid not in supervised:
            return False
        platform.supervisor().stop(supervised[pid])
        return True

    if not leftovers:
        click.echo("Nothing is left over.")
        return
    click.echo(f"ending {', '.join(map(str, leftovers))}: each hands its runs back, or gives them their grace time ...")
    try:
        living = end_gracefully(leftovers, _STOP_SECONDS, stops)
    except SupervisorAway as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"ended {len(leftovers) - len(living)} of {len(leftovers)}")
    if living:
        raise click.ClickException(f"still there after {_STOP_SECONDS:.0f} seconds: {', '.join(map(str, living))}")
