"""`/demo_api/*`: handlers to try workflows with."""

from __future__ import annotations

import secrets
from typing import Any

from gm_task import retstat
from gm_task.handling import Request


def ping(req: Request) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 every handler is told who asks
    """Return a random text."""
    return retstat.OK, {"randstr": secrets.token_hex(8)}


def hello(req: Request, str_info: str) -> tuple[str, dict[str, Any]]:  # noqa: ARG001
    """Return what was said."""
    return retstat.OK, {"str_info": str_info}


def collect(req: Request, all_taskdata: list[Any]) -> tuple[str, dict[str, Any]]:  # noqa: ARG001
    """Return all that the tasks before returned."""
    return retstat.OK, {"data": all_taskdata}
