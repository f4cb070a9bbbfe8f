"""The HTTP edge of /xingqiao: parameters from query and JSON body, answers with a `stat`, ids of each request."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import structlog
from apiflask import APIBlueprint
from flask import Response, g, jsonify, request
from pydantic import BaseModel

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.workflow.commands import Caller
from gm_async_task.workflow.stats import Refused, Stat
from shared.context import new_id
from shared.errors import InvalidField, PlatformError, TooLarge
from shared.task_api.jobs import NAMESPACE_IN_QUERY, OPERATOR_IN_QUERY
from shared.web.params import MAX_QUERY_CHARACTERS, read_json_body, to_command
from shared.web.stat_answers import answer_by_stat, stat_of

log = structlog.get_logger(__name__)
Model = TypeVar("Model", bound=BaseModel)
OPERATOR_HEADER = "X-Username"
"""`x_username` is the same header: gunicorn and nginx are configured to let the underscore pass"""


def read_command(model: type[Model], settings: AsyncTaskSettings) -> Model:
    """Return the request's parameters as `model`: the query's, and a POST body's, which win.

    Raises:
        MalformedRequest, InvalidField, TooLarge
    """
    if len(request.query_string) > MAX_QUERY_CHARACTERS:
        raise TooLarge(what="query string", limit=f"{MAX_QUERY_CHARACTERS} characters")
    parameters: dict[str, Any] = {}
    for name, values in request.args.lists():
        if len(values) > 1:
            raise InvalidField(field=name[:100], problem="it stands twice in the query")
        if name not in (NAMESPACE_IN_QUERY, OPERATOR_IN_QUERY):
            parameters[name] = values[0]
    if request.method == "POST":
        # Whatever its Content-Type: curl calls JSON a form.
        parameters.update(read_json_body(settings.max_body_bytes))
    return to_command(model, parameters)


def read_caller() -> Caller:
    """Return who asks, as a holder of the service key says; the query, which signatures cover, before the header."""
    named = request.args.get(OPERATOR_IN_QUERY) or _utf8(request.headers.get(OPERATOR_HEADER, ""))
    return Caller(
        client=request.remote_addr or "-",
        reqid=g.reqid,
        operator=named.strip() or "-",
        namespace=request.args.get(NAMESPACE_IN_QUERY),
    )


def _utf8(header: str) -> str:
    """Read a header as UTF-8, as which people's names are sent; WSGI gives it as Latin-1."""
    try:
        return header.encode("latin-1").decode("utf-8").strip()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return header.strip()


def success(**facts: Any) -> dict[str, Any]:
    """Return the body of a successful answer."""
    return _with_success({"stat": Stat.OK.value, **facts}, g.settings)


def install_edge(routes: APIBlueprint) -> None:
    """Give the blueprint its headers, and its shape of every failure."""

    @routes.before_request
    def _open() -> None:
        g.reqid = new_id()
        g.reqid_opened = time.monotonic()
        structlog.contextvars.bind_contextvars(reqid=g.reqid)

    @routes.after_request
    def _close(response: Response) -> Response:
        # What was refused at the application's own door never came to ours.
        opened = g.get("reqid_opened", g.get("opened", time.monotonic()))
        response.headers["x-reqid"] = g.get("reqid") or new_id()
        response.headers["x-cost"] = f"{time.monotonic() - opened:.6f}"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    routes.register_error_handler(Refused, _answer_refusal)
    routes.register_error_handler(PlatformError, _answer_error)
    routes.register_error_handler(Exception, _answer_unexpected)


def _answer_refusal(error: Refused) -> Response:
    log.info("job_request_refused", stat=error.stat.value, problem=error.msg[:500])
    return _answer({"stat": error.stat.value, "msg": error.msg, **error.facts})


def _answer_error(error: PlatformError) -> Response:
    return answer_by_stat(error, **_beside(stat_of(error)[1], g.settings))


def _answer_unexpected(error: Exception) -> Response:
    error_id = new_id()
    log.error("request_failed", error_id=error_id, exc_info=error)
    msg = PlatformError(error_id=error_id).sentence(g.get("language", "en"))
    return _answer({"stat": Stat.SERVER_EXCEPTION.value, "msg": msg, "error_id": error_id}, 500)


def _answer(body: dict[str, Any], status: int = 200) -> Response:
    response = jsonify(_with_success(body, g.settings))
    response.status_code = status
    return response


def _with_success(body: dict[str, Any], settings: AsyncTaskSettings) -> dict[str, Any]:
    return {**body, **_beside(body["stat"], settings)}


def _beside(stat: str, settings: AsyncTaskSettings) -> dict[str, Any]:
    """Return what else an answer has where it is so configured."""
    return {"success": stat == Stat.OK, "message": stat} if settings.stat_with_success else {}
