"""Whether decorated functions are profiled in this process, and where profiles go."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.settings import CommonSettings

DECORATED = "GM_PROFILE_DECORATED"
FOLDER = "GM_PROFILE_DIR"
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a folder of profiles may hold; the oldest files go first."""

    max_bytes: int = 256 * _MIB
    max_age_seconds: float = 7 * 86_400.0


class Switch:
    """Off unless the environment says otherwise; a service that has read its settings follows those."""

    __slots__ = ("decorated", "folder", "limits")

    def __init__(self, decorated: bool = False, folder: Path | None = None, limits: Limits | None = None) -> None:
        self.decorated = decorated
        self.folder = folder
        """where relative paths of decorated functions begin; None: the working folder"""
        self.limits = limits or Limits()

    def follow(self, settings: CommonSettings) -> None:
        """Take over what a service's settings say."""
        self.decorated = settings.profile_decorated
        self.folder = settings.profile_dir
        self.limits = limits_of(settings)


def limits_of(settings: CommonSettings) -> Limits:
    """Return the limits of the settings' folder."""
    return Limits(settings.profile_max_mib * _MIB, settings.profile_max_days * 86_400)


def _from_environment() -> Switch:
    folder = os.environ.get(FOLDER)
    decorated = os.environ.get(DECORATED, "").lower() in {"1", "true", "yes", "on"}
    return Switch(decorated, Path(folder) if folder else None)


SWITCH = _from_environment()
