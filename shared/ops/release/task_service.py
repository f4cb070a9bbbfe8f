"""Releases and workers as gm_async_task keeps them; away, it is asked again for a while."""

from __future__ import annotations

import socket
from typing import Any

from shared.ops.release.policy import LaneFigures
from shared.ops.release.rollout import Seen, Share
from shared.retry import Patience, call_patiently
from shared.task_api.transport import Method, Transport

_PATIENCE = Patience(seconds=60.0, longest_delay_seconds=5.0)
"""a release outlives the restart of the task service"""


class TaskServiceReleases:
    """`rollout.Releases` over the task API."""

    def __init__(self, transport: Transport, host: str | None = None) -> None:
        self._transport = transport
        self._host = host or socket.gethostname()

    def begin(self, version: str, share: Share) -> None:
        """See `Releases.begin`."""
        given = {"percent": share.percent, "stations": list(share.stations), "queues": list(share.queues)}
        self._call("POST", "/release/begin", version=version, **given)

    def end(self, version: str, state: str, reason: str) -> None:
        """See `Releases.end`."""
        self._call("POST", "/release/end", version=version, state=state, reason=reason)

    def look(self, version: str) -> Seen:
        """See `Releases.look`."""
        found = self._call("GET", "/release/get", version=version)
        lanes = {name: _figures(lane) for name, lane in found["lanes"].items()}
        live = [worker for worker in self.workers() if worker["version"] == version and worker["state"] == "live"]
        return Seen(found["release"]["state"], lanes["grey"], lanes["base"], len(live))

    def find(self) -> dict[str, Any] | None:
        """Return the newest release, None before the first."""
        found: dict[str, Any] | None = self._call("GET", "/release/get")["release"]
        return found

    def local_runs(self, version: str) -> tuple[int, int]:
        """See `Releases.local_runs`."""
        here = [
            worker
            for worker in self.workers()
            if (worker["version"], worker["host"], worker["state"]) == (version, self._host, "live")
        ]
        return len(here), sum(len(worker["runs"]) for worker in here)

    def workers(self) -> list[dict[str, Any]]:
        """Return what every worker has last reported."""
        listed: list[dict[str, Any]] = self._call("GET", "/worker/list")
        return listed

    def _call(self, method: Method, path: str, **parameters: Any) -> Any:
        return call_patiently(lambda: self._transport.call(method, path, parameters), _PATIENCE, event="release")


def _figures(lane: dict[str, Any]) -> LaneFigures:
    return LaneFigures(
        started=lane["started"],
        ended=lane["ended"],
        failed=lane["failed"],
        running=lane["running"],
        start_delay_p95=lane["start_delay_seconds"]["p95"],
        oldest_waiting=lane["oldest_waiting_seconds"],
    )
