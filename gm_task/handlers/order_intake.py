"""`/order_intake/*`: the steps of taking an order file in that are no task functions of their own."""

from __future__ import annotations

from typing import Any

from gm_task import retstat
from gm_task.handling import Request
from shared.errors import PlatformError, Unavailable
from shared.retry import Patience, call_patiently

ENDPOINT = "/no_login/station/order/intake/"


def check(req: Request, import_id: int) -> tuple[str, dict[str, Any]]:
    """Say what importing the file would do; a file of which nothing would become an order goes no further."""
    stat, counts = _ask(req, "check", import_id=import_id)
    if stat == retstat.OK and not counts["created"]:
        return "ERR_NOTHING_TO_IMPORT", {**counts, "msg": "No row of the file would become an order."}
    return stat, counts


def plan_export(req: Request, import_id: int, language: str) -> tuple[str, dict[str, Any]]:
    """Return the export of what the import has created, as a task function takes it."""
    return _ask(req, "export_request", import_id=import_id, language=language)


def notify(  # noqa: PLR0917 what the tasks before returned
    req: Request,  # noqa: ARG001
    total: int,
    created: int,
    failed: int,
    file_name: str,
    import_task_id: int,
    export_task_id: int,
) -> tuple[str, dict[str, Any]]:
    """Sum up what became of the file, with the links to what people want to open."""
    counts = {"total": total, "created": created, "failed": failed}
    links = {"export": f"/station/download/async/{export_task_id}"}
    if failed:
        links["failed_rows"] = f"/station/order/batch/open_rows?platform_task_id={import_task_id}"
    told = {
        "en": f"{created} of {total} orders were created, {failed} failed.",
        "zh": f"共 {total} 行，已创建 {created} 个订单，失败 {failed} 行。",
    }
    return retstat.OK, {"data": {**counts, "file_name": file_name, "links": links, "message": told}}


def _ask(req: Request, verb: str, **given: Any) -> tuple[str, dict[str, Any]]:
    """Ask gm_service about the job's import; what it refuses is the handler's answer."""
    context = req.context
    body = {"station_id": context.station_id, **given}
    try:
        answer = call_patiently(
            lambda: context.order_service.call("POST", ENDPOINT + verb, body),
            Patience(context.settings.report_seconds),
            event=f"intake_{verb}",
            given_up=context.cancelled,
        )
    except PlatformError as error:
        stat = "ERR_SERVICE_UNAVAILABLE" if isinstance(error, Unavailable) else "ERR_SERVICE_REFUSED"
        return stat, {"msg": error.sentence(context.settings.language)}
    return retstat.OK, dict(answer)
