"""Files of NAME=value lines that a shell reads too; values are quoted as the shell wants them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path


def read_env(file: Path) -> dict[str, str]:
    """Return what `file` sets; empty where there is none.

    Raises:
        ValueError: a line's quotes are not closed.
    """
    if not file.exists():
        return {}
    lines = (line.strip() for line in file.read_text().splitlines())
    pairs = (line.removeprefix("export ").split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name: " ".join(shlex.split(value, comments=True)) for name, value in pairs}


def write_env(file: Path, values: Mapping[str, str], like: Path | None = None) -> None:
    """Write all of them or nothing; the file is for its owner alone, who is that of `like` where root writes it."""
    write_whole(file, "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()), like)


def write_whole(file: Path, text: str, like: Path | None = None) -> None:
    """Write a file that only its owner may read, all of it or nothing; root gives it to the owner of `like`."""
    temporary = file.with_name(f"{file.name}.new")
    temporary.touch(mode=0o600)
    if like is not None and like.exists() and os.geteuid() == 0:
        owner = like.stat()
        os.chown(temporary, owner.st_uid, owner.st_gid)
    temporary.write_text(text)
    temporary.replace(file)
