"""Hands finished exports to the station they belong to; a file is found by a row, never by a path from the request."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote

from apiflask import APIBlueprint
from flask import Response, request, send_file
from pydantic import TypeAdapter, ValidationError

from gm_service.config import ServiceSettings
from gm_service.orders.collaborators import Station
from gm_service.orders.exports.models import StoredFile
from gm_service.orders.exports.service import ExportService
from gm_service.routes.rendering import refuse_as_a_page, speak_as_the_page
from shared.errors import FileGone, TaskNotFound
from shared.files.store import FileStore, HandedAs
from shared.web.fields import RowId

_TASK_ID: TypeAdapter[int] = TypeAdapter(RowId)
CONTENT_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
    ".xml": "application/xml; charset=utf-8",
    ".txt": "text/plain; charset=gbk",
}
ACCEL_DISPOSITION = "X-File-Disposition"
"""nginx makes it the file's Content-Disposition. It would keep that one itself, even where it can't open the file, and
browsers would save the refusal under the file's name."""


def downloads_routes(
    exports: ExportService, settings: ServiceSettings, require_station: Callable[[], Station]
) -> APIBlueprint:
    """Return the routes that nginx points its sync and async download addresses at."""
    files = exports.files
    blueprint = APIBlueprint("downloads", __name__, url_prefix="/station/download", tag="Downloads")

    blueprint.before_request(speak_as_the_page)
    blueprint.after_request(partial(refuse_as_a_page, cookie_secure=settings.cookie_secure))

    @blueprint.get("/sync/<key>")
    def download_sync(key: str) -> Response:
        """Download an export that was made at once."""
        station = require_station()
        if len(key) != 32 or not key.isascii() or not key.isalnum():
            raise FileGone()
        return _send(exports.find_sync_file(station, key), files, settings)

    @blueprint.get("/async/<task_id>")
    def download_async(task_id: str) -> Response:
        """Download the file that an export task made."""
        station = require_station()
        return _send(exports.find_async_file(station, _read_task_id(task_id)), files, settings)

    return blueprint


def _read_task_id(text: str) -> int:
    try:
        return _TASK_ID.validate_python(text)
    except ValidationError:
        raise TaskNotFound() from None


def _send(stored: StoredFile, files: FileStore, settings: ServiceSettings) -> Response:
    content_type = CONTENT_TYPES.get(Path(stored.file).suffix, "application/octet-stream")
    disposition = content_disposition(stored.file_name)
    handed = HandedAs(content_type, disposition, "HEAD" if request.method == "HEAD" else "GET")
    link = files.link(stored.file, handed)
    response = _lead_to(link) if link else _send_from_folder(stored, handed, settings)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _lead_to(link: str) -> Response:
    """Redirect to the store; it is told nothing of the page, and no cache keeps the address."""
    return Response(status=302, headers={"Location": link, "Referrer-Policy": "no-referrer"})


def _send_from_folder(stored: StoredFile, handed: HandedAs, settings: ServiceSettings) -> Response:
    disposition = "Content-Disposition"
    if settings.accel_location:
        response = Response()
        response.headers["X-Accel-Redirect"] = settings.accel_location + quote(stored.file)
        disposition = ACCEL_DISPOSITION
    else:
        try:
            response = send_file(
                settings.files_dir.resolve() / stored.file, mimetype=handed.content_type, conditional=True
            )
        except FileNotFoundError:  # removed since it was looked at
            raise FileGone() from None
    response.content_type = handed.content_type
    response.headers[disposition] = handed.content_disposition
    return response


def content_disposition(file_name: str) -> str:
    """Return the header's value: RFC 5987 for today's browsers, an ASCII name for the others."""
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\/%;' else "_" for letter in file_name
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
