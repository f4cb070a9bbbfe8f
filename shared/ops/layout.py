"""What a way of running the platform on one machine decides, and what it leaves to shared.ops.host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from shared.ops.kept import Kept
from shared.ops.servers.program import Server


class HostError(Exception):
    """Why the platform could not be started, in a sentence."""


@dataclass(frozen=True)
class Layout:
    """A platform ready to be started."""

    settings: Mapping[str, str]
    """what its processes are told, all of it"""
    url: str
    """where people and programs of stations find it"""
    servers: Sequence[Server] = ()
    """what must answer before the databases are migrated"""
    front: Server | None = None
    """what stands before gm_service"""


@dataclass(frozen=True)
class Way:
    """A way of running the platform: its folder in the checkout, its commands, its share of the machine."""

    folder: str
    start_command: str
    stop_command: str
    demo_command: str
    first_port: int
    """of the few that the services take"""
    workers: int
    """worker processes"""
    lay_out: LayOut
    asked_for: Mapping[str, str] = field(default_factory=dict)
    """what must stand in `env` where it runs already"""


class LayOut(Protocol):
    """Chooses servers and settings."""

    def __call__(self, root: Path, folder: Path, kept: Kept, settings: Mapping[str, str]) -> Layout:
        """Return the platform of the checkout `root` in `folder`, with `settings` and those of its servers.

        Raises:
            HostError: this machine lacks what it needs.
        """
        ...
