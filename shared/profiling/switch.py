"""Whether decorated functions are profiled in this process, and where profiles go."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
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


def limits_in(environment: Mapping[str, str]) -> Limits:
    """Return the limits of the folder as the environment has them."""
    usual = Limits()
    mib = environment.get("GM_PROFILE_MAX_MIB")
    days = environment.get("GM_PROFILE_MAX_DAYS")
    return Limits(int(mib) * _MIB if mib else usual.max_bytes, float(days) * 86_400 if days else usual.max_age_seconds)


def _from_environment() -> Switch:
    folder = os.environ.get(FOLDER)
    decorated = os.environ.get(DECORATED, "").lower() in {"1", "true", "yes", "on"}
    limits = Limits()
    with contextlib.suppress(ValueError):  # a service's settings will say so
        limits = limits_in(os.environ)
    return Switch(decorated, Path(folder) if folder else None, limits)


SWITCH = _from_environment()
