"""/worker/* and /release/*: docs/task-api.md section 3."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from gm_async_task.workers.explaining import Explainer
from gm_async_task.workers.refusals import RefusalService
from gm_async_task.workers.releases import ReleaseService
from gm_async_task.workers.service import WorkerService
from shared.envelope import Envelope, success
from shared.task_api import workers
from shared.task_api.commands import TaskKey
from shared.web.params import takes


class PresenceAnswer(Envelope[workers.Presence]):
    """What the worker serves now."""


class LeftAnswer(Envelope[None]):
    """The worker is forgotten."""


class WorkersAnswer(Envelope[list[workers.Worker]]):
    """The workers."""


class RefusalAnswer(Envelope[workers.Refusal]):
    """Whether another worker has the function."""


class ReleaseAnswer(Envelope[workers.Release]):
    """The release as it is now."""


class ReleaseViewAnswer(Envelope[workers.ReleaseView]):
    """The release and the figures of both lanes."""


class ExplanationAnswer(Envelope[workers.Explanation]):
    """Why the task is where it is."""


def explain_routes(explainer: Explainer) -> APIBlueprint:
    """Return the blueprint of /task/explain, which tells of a task and of its workers."""
    routes = APIBlueprint("explain", __name__, url_prefix="/task")

    @routes.get("/explain")
    @takes(TaskKey, answers=ExplanationAnswer, location="query")
    def explain(command: TaskKey) -> dict[str, Any]:
        return success(explainer.explain(command).model_dump(mode="json"))

    return routes


def worker_routes(presence: WorkerService, refusals: RefusalService) -> APIBlueprint:
    """Return the blueprint of /worker/*."""
    routes = APIBlueprint("worker", __name__, url_prefix="/worker")

    @routes.post("/report")
    @takes(workers.ReportWorker, answers=PresenceAnswer)
    def report(command: workers.ReportWorker) -> dict[str, Any]:
        return success(presence.report(command).model_dump(mode="json"))

    @routes.post("/leave")
    @takes(workers.LeaveWorker, answers=LeftAnswer)
    def leave(command: workers.LeaveWorker) -> dict[str, Any]:
        presence.leave(command)
        return success()

    @routes.get("/list")
    @takes(workers.ListWorkers, answers=WorkersAnswer, location="query")
    def list_(command: workers.ListWorkers) -> dict[str, Any]:  # noqa: ARG001 it has no parameters
        return success([worker.model_dump(mode="json") for worker in presence.list_workers()])

    @routes.post("/refuse")
    @takes(workers.RefuseTask, answers=RefusalAnswer)
    def refuse(command: workers.RefuseTask) -> dict[str, Any]:
        return success({"handed_back": refusals.refuse(command)})

    return routes


def release_routes(releases: ReleaseService) -> APIBlueprint:
    """Return the blueprint of /release/*."""
    routes = APIBlueprint("release", __name__, url_prefix="/release")

    @routes.post("/begin")
    @takes(workers.BeginRelease, answers=ReleaseAnswer)
    def begin(command: workers.BeginRelease) -> dict[str, Any]:
        return success(releases.begin(command).model_dump(mode="json"))

    @routes.post("/share")
    @takes(workers.BeginRelease, answers=ReleaseAnswer)
    def share(command: workers.BeginRelease) -> dict[str, Any]:
        return success(releases.share(command).model_dump(mode="json"))

    @routes.post("/end")
    @takes(workers.EndRelease, answers=ReleaseAnswer)
    def end(command: workers.EndRelease) -> dict[str, Any]:
        return success(releases.end(command).model_dump(mode="json"))

    @routes.get("/get")
    @takes(workers.GetRelease, answers=ReleaseViewAnswer, location="query")
    def get(command: workers.GetRelease) -> dict[str, Any]:
        return success(releases.get(command).model_dump(mode="json"))

    return routes
