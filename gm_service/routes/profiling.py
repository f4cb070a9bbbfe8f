"""What the task page offers operators: a task's profiled runs, their reports, and to have the next run profiled."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import BaseModel

from gm_service.auth import Authenticator
from gm_service.commands import EnterAsOperator, GetProfileReport, GetTask, ProfileTask
from gm_service.config import ServiceSettings
from gm_service.operators import Operators
from gm_service.routes.rendering import refuse_as_a_page, speak_as_the_page
from gm_service.station_tasks import StationTasks
from shared.envelope import success
from shared.errors import MalformedRequest, NotFound, Unavailable
from shared.profiling.store import Record
from shared.task_api.commands import OneTask
from shared.task_api.models import Task, TaskStatus
from shared.web.params import takes

REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The report brings its style and pictures within itself; it has no script, and none could run."""


class NextRun(BaseModel):
    """Which run is the next that can be profiled: one that has begun can not."""

    of: Literal["task", "function"]
    function: str


class ProfiledRun(BaseModel):
    """One profiled run of the task."""

    id: str
    way: str
    run_count: int | None
    started_at: str
    seconds: float
    failed: bool


class TaskProfiles(BaseModel):
    """What operators see of a task."""

    next: NextRun
    runs: list[ProfiledRun]
    """the newest first"""
    has_reports: bool
    """False where what reads SQL is not installed, the extra `explain`"""


def profiling_routes(
    tasks: StationTasks, auth: Authenticator, operators: Operators, settings: ServiceSettings
) -> APIBlueprint:
    """Return the blueprint; all of it is about tasks of the station that asks, and for operators alone."""
    routes = APIBlueprint("profiling", __name__, url_prefix="/pages", enable_openapi=False)

    @routes.before_request
    def _signed_in() -> None:
        speak_as_the_page()
        auth.require_caller()

    routes.after_request(partial(refuse_as_a_page, cookie_secure=settings.cookie_secure, heading="no_report"))

    def own_task(command: OneTask) -> Task:
        named = command.model_dump(include={"task_id", "user_task_id"})
        task = tasks.get(auth.require_station().id, **named, without_input=True)
        operators.require_operator()
        return task

    @routes.before_request
    def _key_in_the_body_alone() -> None:
        if request.path == "/pages/operator" and (request.mimetype != "application/json" or request.query_string):
            raise MalformedRequest(problem="send a JSON body (Content-Type: application/json) and no query")

    @routes.post("/operator")
    @takes(EnterAsOperator)
    def enter(command: EnterAsOperator) -> dict[str, Any]:
        """Make the person who gives the operator's key an operator for this session."""
        operators.enter(command.key, request.remote_addr or "")
        return success()

    @routes.get("/profiles")
    @takes(GetTask, location="query")
    def list_profiles(command: GetTask) -> dict[str, Any]:
        """List a task's profiled runs, and say which run would be profiled next."""
        task = own_task(command)
        runs = [ProfiledRun.model_validate(record) for record in operators.store.list_runs(task.task_id)]
        return success(TaskProfiles(next=next_run(task), runs=runs, has_reports=has_reports()).model_dump(mode="json"))

    @routes.post("/profile")
    @takes(ProfileTask)
    def profile_next(command: ProfileTask) -> dict[str, Any]:
        """Have the task's run profiled, or where it has begun the next one of its function."""
        task = own_task(command)
        marked = next_run(task)
        try:
            operators.store.mark(str(task.task_id) if marked.of == "task" else marked.function, command.way)
        except OSError as error:
            raise Unavailable(what="folder of profiles") from error
        return success(marked.model_dump(mode="json"))

    @routes.get("/profile_report")
    @takes(GetProfileReport, location="query")
    def show_report(command: GetProfileReport) -> Response:
        """Show why a profiled run of the task took its time."""
        task = own_task(command)
        records = operators.store.find_run(task.task_id, command.record)
        if not records or not has_reports():
            raise NotFound()
        response = Response(_report_of(operators, records), mimetype="text/html")
        response.headers["Content-Security-Policy"] = REPORT_POLICY
        return response

    return routes


def next_run(task: Task) -> NextRun:
    """Return which run a mark would have profiled."""
    return NextRun(of="task" if task.status == TaskStatus.SUBMITTED else "function", function=task.task_name)


def has_reports() -> bool:
    """Tell whether what reads SQL is installed here."""
    return find_spec("sqlglot") is not None


def _report_of(operators: Operators, records: list[Record]) -> str:
    # What reads SQL takes a while to import, and may be missing.
    from shared.profiling.explanation import explain_records  # noqa: PLC0415
    from shared.profiling.page import make_page  # noqa: PLC0415
    from shared.profiling.pstat_tables import NoProfile  # noqa: PLC0415

    try:
        return make_page(explain_records(records, [operators.store.table_of(record) for record in records]))
    except NoProfile as error:
        raise NotFound() from error
