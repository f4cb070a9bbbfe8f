"""How /xingqiao tells a refusal of the platform's own: by a `stat`, with HTTP 200 where the parameters are at fault."""

from __future__ import annotations

from typing import Any

from flask import Response, g, jsonify

from shared.errors import InvalidField, MalformedRequest, PlatformError

BAD_PARAMS = "ERR_BAD_PARAMS"
_STATS = {401: "ERR_UNAUTHORIZED", 403: "ERR_FORBIDDEN", 413: "ERR_TOO_LARGE", 503: "ERR_UNAVAILABLE"}


def stat_of(error: PlatformError) -> tuple[int, str]:
    """Return the HTTP status and the stat that a refusal is told by."""
    if isinstance(error, InvalidField | MalformedRequest):
        return 200, BAD_PARAMS
    return error.status, _STATS.get(error.status, "ERR_SERVER_EXCEPTION")


def answer_by_stat(error: PlatformError, **more: Any) -> Response:
    """Return the answer to a refused request; `more` stands in it beside `stat` and `msg`."""
    g.error_code = error.code  # for the metrics
    status, stat = stat_of(error)
    response = jsonify({"stat": stat, "msg": error.sentence(g.get("language", "en")), **more})
    response.status_code = status
    if status == 413:
        response.headers["Connection"] = "close"  # the rest of the body was not read
    if "retry_after_seconds" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after_seconds"])
    return response
