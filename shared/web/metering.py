"""Counts a Flask service's requests by route template, and serves its metrics."""

from __future__ import annotations

import time

from apiflask import APIBlueprint, APIFlask
from flask import Response, g, request

from shared.errors import Unauthorized
from shared.metrics.access import may_read_metrics
from shared.metrics.exposition import CONTENT_TYPE, Exposition
from shared.metrics.meters import Meters
from shared.metrics.table import HTTP_ERRORS, HTTP_REQUEST_SECONDS, HTTP_REQUESTS
from shared.settings import CommonSettings

UNMATCHED = "unmatched"
"""the route of what has no route: paths come from anybody, and must not become labels"""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_requests(app: APIFlask, meters: Meters) -> None:
    """Have every answer of `app` counted."""

    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else UNMATCHED
        method = request.method if request.method in _METHODS else "other"
        meters.count(HTTP_REQUESTS, method=method, route=route, status=response.status_code)
        meters.observe(HTTP_REQUEST_SECONDS, time.monotonic() - g.get("opened", time.monotonic()), route=route)
        if "error_code" in g:
            meters.count(HTTP_ERRORS, error=g.error_code)
        return response

    app.after_request(count)


def metrics_routes(exposition: Exposition, settings: CommonSettings) -> APIBlueprint:
    """Return the blueprint of /metrics."""
    routes = APIBlueprint("metrics", __name__)

    @routes.get("/metrics")
    @routes.doc(hide=True)
    def metrics() -> Response:
        peer = request.environ.get("REMOTE_ADDR") or ""
        if not may_read_metrics(settings, peer, request.headers):
            raise Unauthorized()
        return Response(exposition.text(), content_type=CONTENT_TYPE)

    return routes
