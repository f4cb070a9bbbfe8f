"""The options that commands about a platform have in common."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from shared.ops.platform import DEFAULT_ETC, PlatformUnknown, find_platform


def platform_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the platform of this host as `platform`."""

    @click.option(
        "--etc", type=click.Path(path_type=Path), help=f"Folder of gm.env.  [default: $GM_ETC or {DEFAULT_ETC}]"
    )
    @click.option("--socket", help="supervisord's socket.  [default: $GM_SUPERVISOR_SOCKET]")
    @functools.wraps(command)
    def with_platform(etc: Path | None, socket: str | None, **options: Any) -> None:
        try:
            platform = find_platform(etc, socket)
        except PermissionError as error:
            raise click.ClickException(
                f"{error.filename} can't be read by you: call this as root, or as whoever owns it."
            ) from error
        except (PlatformUnknown, ValueError, OSError) as error:
            raise click.ClickException(str(error)) from error
        command(platform=platform, **options)

    return with_platform
