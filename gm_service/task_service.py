"""The task service as the routes reach it: what is wrong between our own services is never the caller's fault."""

from __future__ import annotations

from typing import Any

import structlog

from shared.errors import MethodNotAllowed, NotFound, Unauthorized, Unavailable
from shared.task_api.transport import Method, Transport

log = structlog.get_logger(__name__)


class TrustedTransport:
    """A `Transport` that turns a refused service key or a missing address into Unavailable.

    Passed on as it is, a 401 would send the person to the sign-in page again and again.
    """

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """See `Transport.call`."""
        try:
            return self._inner.call(method, path, parameters)
        except (Unauthorized, NotFound, MethodNotAllowed) as error:
            # NotFound is the address; a task that isn't there is TaskNotFound, which passes.
            log.error("task_service_misconfigured", path=path, problem=str(error))
            raise Unavailable(what="task service") from error
