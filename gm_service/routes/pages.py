"""The pages: sign-in, the frame that all others are shown in, and the small lists that they poll."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from apiflask import APIBlueprint
from flask import g, jsonify, redirect, request
from pydantic import BaseModel
from werkzeug.wrappers import Response as BaseResponse

from gm_service.auth import Authenticator
from gm_service.commands import GetTask, ListCentre
from gm_service.config import ServiceSettings
from gm_service.operators import Operators
from gm_service.orders.exports.profiles import PROFILES
from gm_service.orders.imports.reader import ImportReader
from gm_service.routes.rendering import page_language, render_page
from gm_service.station_tasks import StationTasks
from gm_service.task_view import TaskView
from shared.envelope import success
from shared.task_api.models import Task, TaskType
from shared.web.params import takes

_STATIC = Path(__file__).resolve().parent.parent / "static"
_IMPORT = re.compile(r'^(?:import|\} from|import .* from|export \* from) "(\.[^"]+)";', re.MULTILINE)


def imported_by(script: Path) -> set[Path]:
    """Return the scripts that a script imports, itself, at once, through others; not those that it fetches later."""
    found, waiting = set[Path](), [script]
    while waiting:
        importer = waiting.pop()
        new = {(importer.parent / name).resolve() for name in _IMPORT.findall(importer.read_text())} - found
        found |= new
        waiting += new
    return found


# Named ahead, so that browsers fetch them at once and not one import after the other.
MODULES = sorted(path.relative_to(_STATIC).as_posix() for path in imported_by(_STATIC / "js" / "app.js"))
PAGES = ("/", "/tasks/<int:task_id>", "/export", "/import", "/jobs", "/jobs/<int:job_id>", "/statistics")
# A path of this site: one slash, not followed by a second one, which browsers read as another host.
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}")


def pages_routes(
    *,
    tasks: StationTasks,
    reader: ImportReader,
    auth: Authenticator,
    reader_view: Callable[[], TaskView],
    settings: ServiceSettings,
    operators: Operators | None,
) -> APIBlueprint:
    """Return the blueprint of the pages; without `operators` they show nothing of profiling."""
    routes = APIBlueprint("pages", __name__, enable_openapi=False)

    @routes.before_request
    def _choose_language() -> None:
        g.language = page_language()

    def frame(**_names: Any) -> BaseResponse:
        """Show the frame whose scripts show the page that the address names, or the sign-in page first."""
        caller = auth.find_caller()
        if caller is None or caller.csrf_token is None:
            way_back = request.full_path.rstrip("?")
            return redirect("/sign-in" if way_back == "/" else f"/sign-in?next={quote(way_back)}")
        return render_page(
            "app.html",
            cookie_secure=settings.cookie_secure,
            caller=caller,
            time_zone=settings.timezone,
            max_upload_bytes=settings.max_batch_body_bytes,
            formats=",".join(PROFILES),
            modules=MODULES,
            profiling=operators and ("operator" if operators.is_operator() else "offered"),
        )

    for path in PAGES:
        routes.add_url_rule(path, "frame", frame, methods=["GET"])

    @routes.get("/sign-in")
    def sign_in() -> BaseResponse:
        """Show the sign-in page."""
        target = own_path(request.args.get("next"))
        caller = auth.find_caller()
        if caller is not None and caller.csrf_token is not None:
            return redirect(target)
        return render_page("sign_in.html", cookie_secure=settings.cookie_secure, target=target)

    @routes.get("/pages/tasks")
    @takes(ListCentre, location="query")
    def list_centre(command: ListCentre) -> BaseResponse:
        """List what the task centre shows: a page, or the tasks whose progress it follows."""
        station_id = auth.require_station().id
        filters = command.filters(settings.zone)
        page = tasks.list(station_id, **filters, brief=True, with_waiting=True)
        more = command.task_ids is None and len(page) == filters["limit"]
        file_names = reader.find_file_names(station_id, [task.task_id for task in page if _hides_its_file(task)])
        return _unless_known(reader_view().centre(page, file_names, more=more))

    @routes.get("/pages/task")
    @takes(GetTask, location="query")
    def get_page(command: GetTask) -> BaseResponse:
        """Get what the page of one task shows."""
        task = tasks.get_placed(auth.require_station().id, **command.model_dump())
        return _unless_known(reader_view().page(task, tasks.runs(task)))

    return routes


def _unless_known(data: BaseModel) -> BaseResponse:
    """Return the data, or 304 where the reader has it already; polls ask every second."""
    response = jsonify(success(data.model_dump(mode="json")))
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    return response.make_conditional(request)


def own_path(target: str | None) -> str:
    """Return where to go after sign-in: a path of this site, never another host."""
    return target if target and _OWN_PATH.fullmatch(target) else "/"


def _hides_its_file(task: Task) -> bool:
    """Tell whether this is an import whose result, which names the file, isn't there yet."""
    named = task.file_name or (isinstance(task.result, dict) and task.result.get("file_name"))
    return task.type == TaskType.IMPORT and not named
