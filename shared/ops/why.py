"""`gm ops why`."""

from __future__ import annotations

import click

from shared.errors import PlatformError
from shared.ops.asking import platform_options
from shared.ops.platform import Platform


@click.command()
@click.argument("task_id", type=click.IntRange(min=1))
@platform_options
def why(platform: Platform, task_id: int) -> None:
    """Say why a task is where it is, and what happens next."""
    try:
        explained = platform.workers().explain(task_id)
    except PlatformError as error:
        raise click.ClickException(str(error)) from error
    status = explained.status.name.lower().replace("_", " ")
    click.echo(f"task {task_id} ({explained.task_name}) is {status}; request {explained.request_id or '-'}")
    for sentence in explained.told:
        click.echo(f"  {sentence}")
