"""The pages: sign-in and the task centre, in the reader's language, and the small list that the centre polls."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from gm_service.auth import Authenticator
from gm_service.commands import ListCentre
from gm_service.config import ServiceSettings
from gm_service.task_view import TaskView
from shared.envelope import success
from shared.errors import Language
from shared.task_api.client import TaskClient
from shared.web.params import takes

LANGUAGES: tuple[Language, ...] = ("en", "zh")
LANGUAGE_COOKIE = "gm_lang"
PAGE_ROWS = 20
_LANGUAGE_SECONDS = 365 * 86_400
_TEXTS = Path(__file__).parent.parent / "static" / "texts"
# A path of this site: one slash, not followed by a second one, which browsers read as another host.
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}")


def pages_routes(task_client: TaskClient, auth: Authenticator, settings: ServiceSettings) -> APIBlueprint:
    """Return the blueprint of the pages."""
    routes = APIBlueprint("pages", __name__, enable_openapi=False)

    @routes.before_request
    def _choose_language() -> None:
        g.language = page_language()

    @routes.get("/")
    def centre() -> BaseResponse:
        """Show the task centre, or the sign-in page first."""
        caller = auth.find_caller()
        if caller is None or caller.csrf_token is None:
            return redirect("/sign-in")
        return _page("centre.html", settings, caller=caller, time_zone=settings.timezone)

    @routes.get("/sign-in")
    def sign_in() -> BaseResponse:
        """Show the sign-in page."""
        target = own_path(request.args.get("next"))
        caller = auth.find_caller()
        if caller is not None and caller.csrf_token is not None:
            return redirect(target)
        return _page("sign_in.html", settings, target=target)

    @routes.get("/pages/tasks")
    @takes(ListCentre, location="query")
    def list_centre(command: ListCentre) -> dict[str, Any]:
        """List what the task centre shows: a page, or the tasks whose progress it follows."""
        station_id = auth.require_station().id
        limit = len(command.task_ids) if command.task_ids else PAGE_ROWS
        options = {"limit": limit, "offset": command.offset, "task_ids": command.task_ids}
        tasks = task_client.list(station_id, **options, message_show=True, brief=True)
        more = command.task_ids is None and len(tasks) == limit
        return success(TaskView(g.language, settings.public_url).centre(tasks, more=more).model_dump(mode="json"))

    return routes


def page_language() -> Language:
    """Return the language of the page: asked for in the address, chosen before, else the browser's."""
    asked = request.args.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    for language in LANGUAGES:
        if asked == language:
            return language
    known: Language = g.language
    return known


def own_path(target: str | None) -> str:
    """Return where to go after sign-in: a path of this site, never another host."""
    return target if target and _OWN_PATH.fullmatch(target) else "/"


@cache
def load_texts(language: Language) -> dict[str, str]:
    """Return the dictionary of a language; the pages' scripts fetch the same file."""
    texts: dict[str, str] = json.loads((_TEXTS / f"{language}.json").read_text("utf-8"))
    return texts


def _page(template: str, settings: ServiceSettings, **values: Any) -> Response:
    language: Language = g.language
    other: Language = "en" if language == "zh" else "zh"
    response = make_response(
        render_template(template, t=load_texts(language), language=language, other_language=other, **values)
    )
    if request.args.get("lang") == language:
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=_LANGUAGE_SECONDS, samesite="Lax", secure=settings.cookie_secure
        )
    return response
