"""/healthz: the process answers. /readyz: what it needs is there, asked side by side, and waited for up to a deadline.

Neither asks who is calling. /healthz touches nothing else: whatever is away or hangs, it says that the process lives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apiflask import APIBlueprint

from shared.deadline import Inquiry
from shared.envelope import success
from shared.errors import PlatformError, Unavailable

READY_SECONDS = 1.5
"""how long /readyz waits for all of them together"""
_HANGS = "it does not answer in time"


class Readiness:
    """What a service can't work without, by name; each raises a PlatformError where it is away."""

    def __init__(self, needs: Mapping[str, Callable[[], object]], seconds: float = READY_SECONDS) -> None:
        self._inquiries = {name: Inquiry(need) for name, need in needs.items()}
        self._seconds = seconds

    def find_missing(self) -> dict[str, str]:
        """Return what is missing with a sentence each; at most the deadline later, whatever hangs."""
        for inquiry in self._inquiries.values():
            inquiry.begin()
        problems = {name: self._problem(inquiry) for name, inquiry in self._inquiries.items()}
        return {name: problem for name, problem in problems.items() if problem}

    def _problem(self, inquiry: Inquiry[object]) -> str:
        try:
            inquiry.get(self._seconds)
        except TimeoutError:
            return _HANGS
        except PlatformError as error:
            return error.sentence("en")
        except Exception as error:  # a database that refuses us; its words may hold names and addresses
            return f"it fails ({type(error).__name__})"
        return ""


def health_routes(readiness: Readiness, facts: Callable[[], dict[str, Any]] = dict) -> APIBlueprint:
    """Return the blueprint; `facts` are shown by /readyz without deciding anything, and must come at once."""
    routes = APIBlueprint("health", __name__, tag="Health")

    @routes.get("/healthz")
    def healthz() -> dict[str, Any]:
        """Tell that the process answers."""
        return success({"status": "ok"})

    @routes.get("/readyz")
    def readyz() -> dict[str, Any]:
        """Tell that what the service needs is there, else 503 with what is missing."""
        missing = readiness.find_missing()
        if missing:
            raise Unavailable(what=", ".join(missing), missing=missing, **facts())
        return success({"status": "ok", **facts()})

    return routes
