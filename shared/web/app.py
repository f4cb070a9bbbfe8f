"""What every service's Flask application does alike: settings at hand, request ids, access log, error envelopes."""

from __future__ import annotations

import time
from typing import Any

import structlog
from apiflask import APIFlask
from flask import Response, g, jsonify, request
from flask.json.provider import JSONProvider
from werkzeug.exceptions import HTTPException

from shared.context import REQUEST_ID_HEADER, accept_request_id, new_id
from shared.envelope import ErrorEnvelope, failure
from shared.errors import (
    Language,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    PlatformError,
    RangeNotSatisfiable,
    TooLarge,
    Unauthorized,
)
from shared.profiling.plan import plan_of
from shared.profiling.requests import ProfiledRequests
from shared.profiling.switch import SWITCH
from shared.settings import CommonSettings
from shared.web import strict_json

log = structlog.get_logger(__name__)
QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""asked for all day by machines; they have access rules of their own and leave no line in the log"""


def make_app(name: str, title: str, settings: CommonSettings) -> APIFlask:
    """Return an APIFlask application with the platform's habits and no routes yet."""
    app = APIFlask(name, title=title, version="1.0", docs_path=None, spec_path="/openapi.json")
    app.config.update(
        AUTO_404_RESPONSE=False, AUTO_VALIDATION_ERROR_RESPONSE=False, MAX_CONTENT_LENGTH=settings.max_batch_body_bytes
    )
    app.json = StrictJson(app)
    app.before_request(lambda: _open_request(settings))
    app.after_request(_close_request)
    app.teardown_request(lambda _error: structlog.contextvars.clear_contextvars())
    _profile(app, settings)
    app.register_error_handler(PlatformError, _answer_error)
    app.register_error_handler(HTTPException, _answer_http_exception)
    app.register_error_handler(Exception, _answer_unexpected)
    app.error_processor(_answer_http_exception)
    app.spec_processor(_describe_errors)  # type: ignore[arg-type]
    return app


def _profile(app: APIFlask, settings: CommonSettings) -> None:
    """Let requests and decorated functions be profiled where the settings say where to."""
    SWITCH.follow(settings)
    plan = plan_of(settings)
    if plan is not None:
        app.wsgi_app = ProfiledRequests(app.wsgi_app, plan)  # type: ignore[method-assign]


class StrictJson(JSONProvider):
    """Flask's JSON in the platform's strict reading and compact writing."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        return strict_json.dumps(obj)

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        return strict_json.loads(s)


def reader_language(settings: CommonSettings) -> Language:
    """Return the language that the reader asked for, else the configured one."""
    best = request.accept_languages.best_match(["en", "zh"], default=settings.language)
    return "zh" if best == "zh" else "en"


def _describe_errors(spec: dict[str, Any]) -> dict[str, Any]:
    """Say in the OpenAPI document that every failure is an envelope, and which header carries the key."""
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    schemas["ErrorEnvelope"] = ErrorEnvelope.model_json_schema()
    answer = {
        "description": "Refused or failed; the code and the sentence say why.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}}},
    }
    for path in spec["paths"].values():
        for operation in path.values():
            operation["responses"].setdefault("default", answer)
    return spec


def _open_request(settings: CommonSettings) -> None:
    g.settings = settings
    g.language = reader_language(settings)
    g.request_id = accept_request_id(request.headers.get(REQUEST_ID_HEADER))
    g.opened = time.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _close_request(response: Response) -> Response:
    response.headers[REQUEST_ID_HEADER] = g.get("request_id", "-")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.path not in QUIET_PATHS:
        log.info(
            "request_answered",
            method=request.method,
            path=request.path,
            status=response.status_code,
            seconds=round(time.monotonic() - g.get("opened", time.monotonic()), 4),
        )
    return response


def _answer_error(error: PlatformError) -> Response:
    g.error_code = error.code
    if error.status == 503:
        log.warning("request_unavailable", what=error.details.get("what"))
    response = jsonify(failure(error, g.get("language", "en")))
    response.status_code = error.status
    if error.status == 413:
        # The rest of the body was not read; it must not be taken for the next request.
        response.headers["Connection"] = "close"
    if "retry_after_seconds" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after_seconds"])
    return response


def _answer_http_exception(error: Any) -> Response:
    """Translate what Flask and Werkzeug raise by themselves."""
    status: int = getattr(error, "code", None) or getattr(error, "status_code", None) or 500
    known: dict[int, PlatformError] = {
        401: Unauthorized(),
        404: NotFound(),
        405: MethodNotAllowed(method=request.method),
        413: TooLarge(what="request body", limit="the configured size"),
    }
    if 300 <= status < 400:
        redirection: Response = error.get_response()
        return redirection
    if status >= 500:
        return _answer_unexpected(error)
    if status == RangeNotSatisfiable.status:
        return _answer_range(error)
    description = str(getattr(error, "description", "") or "the request is malformed")
    return _answer_error(known.get(status) or MalformedRequest(problem=description.rstrip(".")))


def _answer_range(error: Any) -> Response:
    """Say how long the file is; APIFlask hands over its own exception, with no more than the header of Werkzeug's."""
    told: str = dict(getattr(error, "headers", None) or error.get_headers()).get("Content-Range", "")
    response = _answer_error(RangeNotSatisfiable(bytes=int(told.rpartition("/")[2] or 0)))
    response.headers["Content-Range"] = told
    return response


def _answer_unexpected(error: Exception) -> Response:
    error_id = new_id()
    log.error("request_failed", error_id=error_id, exc_info=error)
    return _answer_error(PlatformError(error_id=error_id))
