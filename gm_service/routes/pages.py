"""The pages: sign-in and the task centre, in the reader's language, and the small list that the centre polls."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint
from flask import g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from gm_service.auth import Authenticator
from gm_service.commands import ListCentre
from gm_service.config import ServiceSettings
from gm_service.orders.cycles import CycleReader
from gm_service.orders.imports.reader import ImportReader
from gm_service.routes.rendering import page_language, render_page
from gm_service.station_tasks import StationTasks
from gm_service.task_view import TaskView
from shared.envelope import success
from shared.task_api.models import Task, TaskType
from shared.web.params import takes

PAGE_ROWS = 20
# A path of this site: one slash, not followed by a second one, which browsers read as another host.
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}")


def pages_routes(
    *,
    tasks: StationTasks,
    cycles: CycleReader,
    reader: ImportReader,
    auth: Authenticator,
    reader_view: Callable[[], TaskView],
    settings: ServiceSettings,
) -> APIBlueprint:
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
        return render_page(
            "centre.html",
            cookie_secure=settings.cookie_secure,
            caller=caller,
            time_configs=cycles.list_cycles(caller.station.id),
            time_zone=settings.timezone,
            max_upload_bytes=settings.max_batch_body_bytes,
        )

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
    def list_centre(command: ListCentre) -> dict[str, Any]:
        """List what the task centre shows: a page, or the tasks whose progress it follows."""
        station_id = auth.require_station().id
        limit = len(command.task_ids) if command.task_ids else PAGE_ROWS
        options = {"limit": limit, "offset": command.offset, "task_ids": command.task_ids}
        page = tasks.list(station_id, **options, brief=True)
        more = command.task_ids is None and len(page) == limit
        file_names = reader.find_file_names(station_id, [task.task_id for task in page if _hides_its_file(task)])
        return success(reader_view().centre(page, file_names, more=more).model_dump(mode="json"))

    return routes


def own_path(target: str | None) -> str:
    """Return where to go after sign-in: a path of this site, never another host."""
    return target if target and _OWN_PATH.fullmatch(target) else "/"


def _hides_its_file(task: Task) -> bool:
    """Tell whether this is an import whose result, which names the file, isn't there yet."""
    return task.type == TaskType.IMPORT and not (isinstance(task.result, dict) and task.result.get("file_name"))
