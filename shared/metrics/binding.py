"""Where the endpoint of a process without other HTTP listens: host:port, or host:first-last where several stand side by
side on one machine, of which each takes the first port that is free.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_BIND = re.compile(r"(?P<host>.*):(?P<first>[0-9]{1,5})(-(?P<last>[0-9]{1,5}))?")
_HIGHEST = 65535
_MOST = 1000


def parse_bind(bind: str) -> list[tuple[str, int]]:
    """Return the addresses of `bind`, one after the other; empty: none.

    Raises:
        ValueError: it is not of that form.
    """
    if not bind:
        return []
    found = _BIND.fullmatch(bind)
    first, last = (int(found["first"]), int(found["last"] or found["first"])) if found else (0, -1)
    if not found or not first <= last <= _HIGHEST or last - first >= _MOST:
        raise ValueError(f"{bind} is not host:port or host:first-last")
    return [(found["host"].strip("[]"), port) for port in range(first, last + 1)]


def _checked(bind: str) -> str:
    parse_bind(bind)
    return bind


Bind = Annotated[str, AfterValidator(_checked)]
"""a setting that `parse_bind` takes"""
