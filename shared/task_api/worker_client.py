"""The caller's side of /worker/* and /release/*: for workers, and for operators' commands."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from shared.task_api.transport import Transport
from shared.task_api.workers import Explanation, Presence, Refusal, Release, ReleaseView, Worker


class WorkerClient:
    """Calls gm_async_task; every method raises the `shared.errors` class that the server raised.

    Raises (all): Unavailable when the service can't be reached.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def report(self, **fields: Any) -> Presence:
        """Say that a worker is there, and learn what it serves; `fields` are those of `workers.ReportWorker`."""
        return Presence.model_validate(self._transport.call("POST", "/worker/report", fields))

    def leave(self, name: str) -> None:
        """Say that a worker has ended."""
        self._transport.call("POST", "/worker/leave", {"name": name})

    def list(self) -> builtins.list[Worker]:
        """Return the workers that were heard of within the last hour, in order of their names."""
        return [Worker.model_validate(each) for each in self._transport.call("GET", "/worker/list", {})]

    def explain(self, task_id: int) -> Explanation:
        """Return why a task is where it is.

        Raises:
            TaskNotFound
        """
        return Explanation.model_validate(self._transport.call("GET", "/task/explain", {"task_id": task_id}))

    def refuse(self, task_id: int, *, task_name: str, worker: str, queue: str | None = None) -> bool:
        """Give back the bell of a function that `worker` does not have; return whether another one has it."""
        given = {"task_id": task_id, "task_name": task_name, "worker": worker}
        answer = self._transport.call("POST", "/worker/refuse", given | ({"queue": queue} if queue else {}))
        return Refusal.model_validate(answer).handed_back

    def begin_release(
        self, version: str, *, percent: int, stations: Sequence[str] = (), queues: Sequence[str] = ()
    ) -> Release:
        """Try a version with a share of the new tasks; the version that is tried already gets the new share.

        Raises:
            ReleaseUnderWay: another version is being tried.
        """
        return self._share("/release/begin", version, percent, stations, queues)

    def share_release(
        self, version: str, *, percent: int, stations: Sequence[str] = (), queues: Sequence[str] = ()
    ) -> Release:
        """Change the share of the version that is being tried.

        Raises:
            ReleaseNotFound, ReleaseEnded
        """
        return self._share("/release/share", version, percent, stations, queues)

    def end_release(self, version: str, *, state: str, reason: str | None = None) -> Release:
        """Let the version that is being tried take over (`live`), or take it back (`rolled_back`).

        Raises:
            ReleaseNotFound
            ReleaseEnded: it has ended otherwise; the same end again changes nothing.
        """
        given = {"version": version, "state": state} | ({"reason": reason} if reason else {})
        return Release.model_validate(self._transport.call("POST", "/release/end", given))

    def get_release(self, version: str | None = None) -> ReleaseView:
        """Return a version's newest release, or the newest of all, and the figures of both lanes since it began.

        Raises:
            ReleaseNotFound: no release of `version`.
        """
        data = self._transport.call("GET", "/release/get", {"version": version} if version else {})
        return ReleaseView.model_validate(data)

    def _share(self, path: str, version: str, percent: int, stations: Sequence[str], queues: Sequence[str]) -> Release:
        given = {
            "version": version,
            "percent": percent,
            "stations": builtins.list(stations),
            "queues": builtins.list(queues),
        }
        return Release.model_validate(self._transport.call("POST", path, given))
