"""The `gm` command: `bin/gm run`, `bin/gm ops workers`; each subcommand stands beside what it drives."""

from __future__ import annotations

from pathlib import Path

import click

from shared.ops.host import Host, HostError
from shared.ops.release.command import release, slots
from shared.ops.why import why
from shared.ops.workers.command import workers

ROOT = Path(__file__).resolve().parents[2]


@click.group()
def main() -> None:
    """Run the platform on this machine."""


@main.command()
def run() -> None:
    """Migrate, load the demo, start every process; running already, only say where."""
    host = Host(ROOT)
    try:
        host.start()
    except HostError as error:
        raise click.ClickException(str(error)) from error
    click.echo(host.welcome())


@main.command()
def stop() -> None:
    """End every process that `gm run` started."""
    ended = Host(ROOT).stop()
    click.echo(f"Stopped {ended} processes; the data stays in .run/." if ended else "Nothing was running.")


@main.group()
def ops() -> None:
    """What on-call engineers do: list workers, release new ones."""


ops.add_command(release)
ops.add_command(slots)
ops.add_command(why)
ops.add_command(workers)
