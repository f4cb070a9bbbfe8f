"""Which release of the platform a process runs."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import metadata
from pathlib import Path

_PACKAGE = "gm-platform"
_PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
UNKNOWN = "unknown"


def present_release(configured: str) -> str:
    """Return `configured` (GM_RELEASE), and without it the version of the package."""
    return configured or _package_version()


@lru_cache(maxsize=1)
def _package_version() -> str:
    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:  # it runs from a checkout
        return _checkout_version()


def _checkout_version() -> str:
    try:
        return str(tomllib.loads(_PYPROJECT.read_text("utf-8"))["project"]["version"])
    except (OSError, ValueError, KeyError):
        return UNKNOWN
