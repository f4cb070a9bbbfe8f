"""The API of workflow jobs as the routes reach it: the station's own jobs, in the name of whoever is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import structlog

from shared.errors import Unavailable
from shared.task_api.internal_http import InternalHttp
from shared.task_api.jobs import NAMESPACE_IN_QUERY, OPERATOR_IN_QUERY
from shared.web import strict_json

log = structlog.get_logger(__name__)
PROGRAM = "api"
"""the operator of what a station's token asks for"""
PASSED_HEADERS = ("Content-Type", "x-reqid", "x-cost", "Retry-After")
"""what of an answer callers see; the rest is between our services"""


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """An answer as it came."""

    status: int
    body: bytes
    headers: dict[str, str]


class JobApi(Protocol):
    """How the API of jobs is reached."""

    def call(self, verb: str, parameters: dict[str, Any], *, namespace: str, operator: str) -> JobAnswer:
        """Ask for `verb` on behalf of an operator, who sees the jobs of one namespace and no other.

        Raises:
            Unavailable: the task service is away, or is not set up to listen to us.
        """
        ...


class HttpJobApi:
    """Speaks to gm_async_task; make one per process, after forking."""

    def __init__(self, base_url: str, auth_key: str, timeout_seconds: float = 30.0, *, signed: bool = False) -> None:
        self._http = InternalHttp(base_url, auth_key, timeout_seconds, "task service", signed=signed)

    def call(self, verb: str, parameters: dict[str, Any], *, namespace: str, operator: str) -> JobAnswer:
        """See `JobApi.call`."""
        query = urlencode({NAMESPACE_IN_QUERY: namespace, OPERATOR_IN_QUERY: operator})
        response = self._http.send("POST", f"/xingqiao/{verb}?{query}", strict_json.dumps(parameters).encode())
        if response.status in (401, 403, 404, 405):  # what is wrong between our services is no caller's fault
            log.error("job_service_misconfigured", verb=verb, status=response.status)
            raise Unavailable(what="task service")
        passed = {name: response.headers[name] for name in PASSED_HEADERS if name in response.headers}
        return JobAnswer(response.status, response.data, passed)
