"""/xingqiao/*: a station's workflow jobs, passed on to gm_async_task in the name of whoever is signed in.

A station's jobs are those whose namespace is its id. What changes something is asked for by POST only. What is refused
here has the shape of what is refused there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g, request

from gm_service.auth import Caller
from gm_service.config import ServiceSettings
from gm_service.job_api import PROGRAM, JobApi
from shared.errors import InvalidField, PlatformError
from shared.web.params import MAX_QUERY_CHARACTERS, read_json_body
from shared.web.stat_answers import answer_by_stat

CHANGES = ("create_job", "delete_job", "retry_job")
LOOKS = (
    "list_plugins",
    "list_jobs",
    "get_job_detail",
    "list_tasks",
    "get_tasklist_by_jobid",
    "list_runs",
    "get_task",
    "get_graph",
    "statistics_success_rate",
    "statistics_jobtag_ratio",
    "statistics_retstat_ratio",
)


def xingqiao_routes(jobs: JobApi, settings: ServiceSettings, require_caller: Callable[[], Caller]) -> APIBlueprint:
    """Return the blueprint; `require_caller` tells who asks, or raises."""
    routes = APIBlueprint("xingqiao", __name__, url_prefix="/xingqiao", tag="Workflow jobs")

    routes.register_error_handler(PlatformError, answer_by_stat)

    @routes.before_request
    def _signed_in() -> None:
        require_caller()  # before the parameters are read: strangers learn nothing of them

    @routes.after_request
    def _identified(response: Response) -> Response:
        # What was refused here never had those of the other side.
        response.headers.setdefault("x-reqid", g.request_id)
        response.headers.setdefault("x-cost", f"{time.monotonic() - g.opened:.6f}")
        return response

    def offer(verb: str, methods: list[str]) -> None:
        def view() -> Response:
            caller = require_caller()
            station_id = caller.station.id
            parameters = _read_parameters(settings.max_body_bytes)
            if verb == "create_job":
                parameters["job_namespace"] = station_id
            operator = caller.person.username if caller.person else PROGRAM
            answer = jobs.call(verb, parameters, namespace=station_id, operator=operator)
            return Response(answer.body, status=answer.status, headers=answer.headers)

        view.__doc__ = f"Pass {verb} on for the station."
        routes.add_url_rule(f"/{verb}", verb, view, methods=methods)

    for verb in CHANGES:
        offer(verb, ["POST"])
    for verb in LOOKS:
        offer(verb, ["GET", "POST"])
    return routes


def _read_parameters(max_body_bytes: int) -> dict[str, Any]:
    """Return the parameters by name; which of them there are, the other side says.

    Raises:
        TooLarge, MalformedRequest, InvalidField
    """
    parameters: dict[str, Any] = {}
    if len(request.query_string) > MAX_QUERY_CHARACTERS:
        raise InvalidField(field="query", problem="it is too long")
    for name, values in request.args.lists():
        if len(values) > 1:
            raise InvalidField(field=name[:100], problem="it stands twice in the query")
        parameters[name] = values[0]
    return {**parameters, **(read_json_body(max_body_bytes) if request.method == "POST" else {})}
