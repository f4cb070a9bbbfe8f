"""The `gm` command: `python -m shared.ops run`."""

from __future__ import annotations

from pathlib import Path

import click

from shared.ops.host import Host, HostError

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
