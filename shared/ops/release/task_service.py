"""Releases and workers as gm_async_task keeps them; away, it is asked again for a while."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TypeVar

from shared.ops.release import policy
from shared.ops.release.rollout import Seen, Share
from shared.retry import Patience, call_patiently
from shared.task_api.worker_client import WorkerClient
from shared.task_api.workers import LaneFigures, ReleaseState, ReleaseView, Worker, WorkerState

Answer = TypeVar("Answer")
_PATIENCE = Patience(seconds=60.0, longest_delay_seconds=5.0)
"""a release outlives a restart of the task service"""
_NO_PATIENCE = Patience(seconds=0.0)
"""who only asks is told at once that it is away"""


class TaskServiceReleases:
    """`rollout.Releases` over the task API.

    Raises (all): Unavailable when the task service is away for a minute, or at once for who is not patient.
    """

    def __init__(self, client: WorkerClient, host: str | None = None, *, patient: bool = True) -> None:
        self._client = client
        self._patience = _PATIENCE if patient else _NO_PATIENCE
        self._host = host or socket.gethostname()

    def begin(self, version: str, share: Share) -> None:
        """See `Releases.begin`.

        Raises:
            ReleaseUnderWay: another version is being tried.
        """
        given = {"percent": share.percent, "stations": share.stations, "queues": share.queues}
        self._ask(lambda: self._client.begin_release(version, **given))  # type: ignore[arg-type]

    def end(self, version: str, state: str, reason: str) -> None:
        """See `Releases.end`."""
        self._ask(lambda: self._client.end_release(version, state=state, reason=reason))

    def look(self, version: str) -> Seen:
        """See `Releases.look`."""
        view = self.find(version)
        live = [worker for worker in self.workers() if (worker.version, worker.state) == (version, WorkerState.LIVE)]
        state = view.release.state if view.release else ReleaseState.GREY
        return Seen(state, _figures(view.lanes["grey"]), _figures(view.lanes["base"]), len(live))

    def find(self, version: str | None = None) -> ReleaseView:
        """Return the newest release, of `version` where one is named; None in it before the first."""
        return self._ask(lambda: self._client.get_release(version))

    def local_runs(self, version: str) -> tuple[int, int]:
        """See `Releases.local_runs`."""
        wanted = (version, self._host, WorkerState.LIVE)
        here = [each for each in self.workers() if (each.version, each.host, each.state) == wanted]
        return len(here), sum(len(worker.runs) for worker in here)

    def workers(self) -> list[Worker]:
        """Return what every worker has last reported."""
        return self._ask(self._client.list)

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        return call_patiently(call, self._patience, event="task_service")


def _figures(lane: LaneFigures) -> policy.LaneFigures:
    return policy.LaneFigures(
        started=lane.started,
        ended=lane.ended,
        failed=lane.failed,
        running=lane.running,
        start_delay_p95=lane.start_delay_seconds.p95,
        oldest_waiting=lane.oldest_waiting_seconds,
    )
