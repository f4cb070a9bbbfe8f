"""/embed: the task list in a frame of pages of other origins that the operators name, and the script that makes it."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, g, request

from gm_service.config import ServiceSettings
from gm_service.routes.rendering import PAGE_POLICY, page_language, render_page

_SCRIPT = "/static/js/embed.js"


def embedding_routes(settings: ServiceSettings) -> APIBlueprint:
    """Return the blueprint of the frame; every other page stays out of all frames."""
    routes = APIBlueprint("embedding", __name__, enable_openapi=False)
    ancestors = " ".join(settings.embed_origins)
    policy = PAGE_POLICY.replace("frame-ancestors 'none'", f"frame-ancestors 'self' {ancestors}")

    @routes.get("/embed")
    def embed() -> Response:
        """Show the task list alone; whoever is signed out is led to sign-in in a new tab."""
        g.language = page_language()
        response = render_page("embed.html", cookie_secure=settings.cookie_secure)
        # X-Frame-Options stays as it is: browsers that know frame-ancestors go by that alone.
        response.headers["Content-Security-Policy"] = policy
        return response

    @routes.after_app_request
    def let_script_in(response: Response) -> Response:
        """Let pages of other origins load the script, which anyone may read; what it shows is another matter."""
        if request.path == _SCRIPT:
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    return routes
