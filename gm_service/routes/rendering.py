"""Renders pages in the reader's language: templates, dictionaries, and refusals for people instead of programs."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Response, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from shared.errors import Language

PAGE_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
"""Pages load nothing but what this service serves, and no script or style that stands inside a page."""
LANGUAGES: tuple[Language, ...] = ("en", "zh")
LANGUAGE_COOKIE = "gm_lang"
_LANGUAGE_SECONDS = 365 * 86_400
_TEXTS = Path(__file__).parent.parent / "static" / "texts"


@cache
def load_texts(language: Language) -> dict[str, str]:
    """Return the dictionary of a language; the pages' scripts fetch the same file."""
    texts: dict[str, str] = json.loads((_TEXTS / f"{language}.json").read_text("utf-8"))
    return texts


def page_language() -> Language:
    """Return the language of the page: asked for in the address, chosen before, else the browser's."""
    asked = request.args.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    for language in LANGUAGES:
        if asked == language:
            return language
    known: Language = g.language
    return known


def render_page(template: str, *, cookie_secure: bool, **values: Any) -> Response:
    """Return the page in `g.language`, and remember the language where the address asked for it."""
    language: Language = g.language
    other: Language = "en" if language == "zh" else "zh"
    response = make_response(
        render_template(template, t=load_texts(language), language=language, other_language=other, **values)
    )
    if request.args.get("lang") == language:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=_LANGUAGE_SECONDS, samesite="Lax", secure=cookie_secure)
    return response


def wants_page() -> bool:
    """Tell whether a person follows a link: browsers ask for HTML then, programs and our scripts never do."""
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def speak_as_the_page() -> None:
    """Choose the page's language for a person who follows a link; before a request of what can be downloaded."""
    if wants_page():
        g.language = page_language()


def refuse_as_a_page(response: Response, *, cookie_secure: bool, heading: str = "no_download") -> BaseResponse:
    """Show a person who followed a link what is wrong as a page; after a request of what can be downloaded."""
    if response.status_code < 400 or not wants_page():
        return response
    return refusal_as_page(response, cookie_secure=cookie_secure, heading=heading)


def refusal_as_page(refused: Response, *, cookie_secure: bool, heading: str = "no_download") -> BaseResponse:
    """Return what an error envelope says as a page below the text `heading`; strangers are led to sign-in and back."""
    if refused.status_code == 401:
        return redirect(f"/sign-in?next={quote(request.full_path.rstrip('?'))}")
    envelope = refused.get_json()
    page = render_page("refused.html", cookie_secure=cookie_secure, message=envelope["msg"], heading=heading)
    page.status_code = refused.status_code
    if "Retry-After" in refused.headers:
        page.headers["Retry-After"] = refused.headers["Retry-After"]
    return page
