"""Profiles requests of a WSGI application: those that the operator asks for, and every n-th of some.

The header `X-Profile: cprofile` or the query parameter `x_profile=cprofile`, with the operator's key in
`X-Profile-Key`; never in an address, which every proxy on the way writes into its log. `1` is `cprofile`; where both
ask, the header does. Without the right key, or by a way that there is none of, a request is answered as if it had not
asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import structlog

from shared.context import REQUEST_ID_HEADER, accept_request_id
from shared.profiling.naming import show_printable
from shared.profiling.plan import ID_HEADER, PARAMETER, ProfilePlan, is_way
from shared.profiling.present import HEADER, KEY_HEADER, PARENT_HEADER
from shared.profiling.session import Session, Subject
from shared.profiling.ways import WAYS, ProfileWay

log = structlog.get_logger(__name__)
Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
_MOST_NAME_CHARACTERS = 200
_JUST_ASKED = ("1", "true", "yes", "on")
_USUAL_WAY: ProfileWay = "cprofile"
"""as `gm profile task` does"""


def _variable(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"


# Made once: every request is looked at, and hardly any asks.
_ASKED, _KEY, _PARENT, _REQUEST_ID = map(_variable, (HEADER, KEY_HEADER, PARENT_HEADER, REQUEST_ID_HEADER))


class ProfiledRequests:
    """Stands around an application."""

    def __init__(self, application: Application, plan: ProfilePlan) -> None:
        self._application = application
        self._plan = plan

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """See PEP 3333."""
        name = show_printable(f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"[:_MOST_NAME_CHARACTERS])
        way = self._asked_for(environ) or self._plan.way_of_nth(name)
        if way is None:
            return self._application(environ, start_response)
        return self._profiled(self._begin(environ, name, way), environ, start_response)

    def _asked_for(self, environ: Environ) -> str | None:
        in_address = _take_parameter(environ)
        way = environ.get(_ASKED, "").strip().lower() or in_address.lower()
        if not way:
            return None
        path = environ.get("PATH_INFO")
        if not self._plan.opens(environ.get(_KEY, "")):
            log.warning("profile_refused", path=path)
            return None
        way = _USUAL_WAY if way in _JUST_ASKED else way
        if not is_way(way):
            log.warning("profile_way_unknown", path=path, way=way[:_MOST_NAME_CHARACTERS], ways=", ".join(WAYS))
            return None
        return way

    def _begin(self, environ: Environ, name: str, way: str) -> Session:
        # Chosen here, so that record and answer have the same one.
        request_id = environ[_REQUEST_ID] = accept_request_id(environ.get(_REQUEST_ID))
        return self._plan.begin(Subject("request", name, way, request_id, parent=self._parent(environ)))

    def _parent(self, environ: Environ) -> str:
        offered = str(environ.get(_PARENT, ""))[:64]
        return offered if self._plan.opens(environ.get(_KEY, "")) else ""

    def _profiled(self, session: Session, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, (ID_HEADER, session.id)], *rest)

        try:
            answer = self._application(environ, start)
        except BaseException:
            session.finish(failed=True)
            raise
        return _Watched(answer, session)


class _Watched:
    """An answer that is profiled until the server has sent and closed it."""

    def __init__(self, answer: Iterable[bytes], session: Session) -> None:
        self._answer = answer
        self._session: Session | None = session
        self._failed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer
        except Exception:
            self._failed = True
            raise

    def close(self) -> None:
        """Close what the application gave, and end the session."""
        session, self._session = self._session, None
        try:
            if hasattr(self._answer, "close"):
                self._answer.close()
        finally:
            if session is not None:
                session.finish(self._failed)


def _take_parameter(environ: Environ) -> str:
    """Take the way from the query string; what stands there otherwise is left as it is."""
    query: str = environ.get("QUERY_STRING", "")
    if PARAMETER not in query:
        return ""
    parts = query.split("&")
    own = [part for part in parts if part.partition("=")[0] == PARAMETER]
    environ["QUERY_STRING"] = "&".join(part for part in parts if part not in own)
    return dict(parse_qsl("&".join(own))).get(PARAMETER, "")
