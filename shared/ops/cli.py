"""The `gm` command: `bin/gm run`, `bin/gm ops workers`; each subcommand stands beside what it drives."""

from __future__ import annotations

from pathlib import Path

import click

from shared.ops.embedded import EMBEDDED
from shared.ops.host import Host
from shared.ops.layout import HostError, Way
from shared.ops.release.command import release
from shared.ops.stack import BROKERS, make_stack
from shared.ops.why import why
from shared.ops.workers.command import workers
from shared.profiling.cli import profile

ROOT = Path(__file__).resolve().parents[2]


@click.group()
def main() -> None:
    """Run the platform on this machine."""


@main.command()
def run() -> None:
    """Migrate, load the demo, start every process; running already, only say where."""
    _start(EMBEDDED)


@main.command()
def stop() -> None:
    """End every process that `gm run` started."""
    _stop(EMBEDDED)


@main.command()
@click.option("--broker", type=click.Choice(BROKERS), help="what rings the bells; by default as it was, or rabbitmq")
def stack(broker: str | None) -> None:
    """Do the same with MariaDB, RabbitMQ or Redis, and nginx, each started here for this checkout alone."""
    _start(make_stack(broker))


@main.command()
def stack_stop() -> None:
    """End every process that `gm stack` started."""
    _stop(make_stack(None))


def _start(way: Way) -> None:
    host = Host(ROOT, way)
    try:
        host.start()
    except HostError as error:
        raise click.ClickException(str(error)) from error
    click.echo(host.welcome())


@main.group()
def ops() -> None:
    """What on-call engineers do: list workers, release new ones."""


main.add_command(profile)
ops.add_command(release)
ops.add_command(why)
ops.add_command(workers)


def _stop(way: Way) -> None:
    ended = Host(ROOT, way).stop()
    click.echo(f"Stopped {ended} processes; the data stays in {way.folder}/." if ended else "Nothing was running.")
