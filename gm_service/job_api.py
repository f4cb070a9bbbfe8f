"""The API of workflow jobs as the routes reach it: the station's own jobs, in the name of whoever is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from shared.errors import Unavailable
from shared.task_api.internal_http import InternalHttp
from shared.web import strict_json

log = structlog.get_logger(__name__)
NAMESPACE_HEADER = "X-Job-Namespace"
OPERATOR_HEADER = "X-Username"
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
        # As UTF-8: names of stations and people may be Chinese.
        named = {NAMESPACE_HEADER: _on_wire(namespace), OPERATOR_HEADER: _on_wire(operator)}
        response = self._http.send("POST", f"/xingqiao/{verb}", strict_json.dumps(parameters).encode(), named)
        if response.status in (401, 403, 404, 405):  # what is wrong between our services is no caller's fault
            log.error("job_service_misconfigured", verb=verb, status=response.status)
            raise Unavailable(what="task service")
        passed = {name: response.headers[name] for name in PASSED_HEADERS if name in response.headers}
        return JobAnswer(response.status, response.data, passed)


def _on_wire(text: str) -> str:
    """Return what http.client writes as the UTF-8 of `text`."""
    return text.encode().decode("latin-1")
