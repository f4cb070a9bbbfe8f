"""One JSON line per event: constant event names, facts as fields, secrets masked, hostile text made harmless."""

from __future__ import annotations

import logging
import logging.config
import re
import sys
from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.run_log import RunLogHandler, render_line

MAX_FIELD_CHARACTERS = 4096
MASK = "***"
_SECRET_NAMES = re.compile(r"auth_?key|password|passwd|secret|token|authorization|cookie|x-auth-key", re.IGNORECASE)
_NOT_SECRET_NAMES = {"token_id", "csrf_refused"}
# scheme://user:password@host, as database and broker addresses have it in driver messages.
_URL_PASSWORD = re.compile(r"(?P<before>[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[^\s:/@]{0,100}:)[^\s@/]{1,200}(?=@)")
# Longer ids of people (phone numbers, card numbers) inside free text keep their last two digits.
_PHONE = re.compile(r"(?<![\d.])1[3-9]\d{7}(\d{2})(?![\d.])")


def configure_logs(service: str, level: str, secrets: Iterable[str], *, keeps_runs: bool = False) -> None:
    """Send structlog's and the standard library's events to stderr as JSON lines.

    `secrets` are values (keys, passwords) that are masked wherever they turn up. `keeps_runs` collects what runs log
    as well, see `shared.run_log`.
    """
    cleaner = _Cleaner(secrets)
    before_rendering: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _Stamp(service),
    ]
    structlog.configure(
        processors=[*before_rendering, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )

    def rendered(handler: logging.Handler, render: Processor) -> logging.Handler:
        formatter = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before_rendering,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                cleaner,  # here alone: whoever logged, it is the last to see a line
                render,
            ],
        )
        handler.setFormatter(formatter)
        return handler

    as_json = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    root = logging.getLogger()
    root.handlers[:] = [rendered(logging.StreamHandler(sys.stderr), as_json)]
    if keeps_runs:
        root.addHandler(rendered(RunLogHandler(), render_line))
    root.setLevel(level)


class _Stamp:
    """Adds the service's name to each event."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", self._service)
        return event


class _Cleaner:
    """Masks secrets by name and by value, cuts long fields; control bytes are escaped by the JSON renderer."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= 6}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {name: self._clean(name, value) for name, value in event.items()}

    def _clean(self, name: str, value: Any) -> Any:
        if name.startswith("_"):  # structlog's own bookkeeping, removed before rendering
            return value
        if _SECRET_NAMES.search(name) and name not in _NOT_SECRET_NAMES and value is not None:
            return MASK
        if isinstance(value, dict):
            return {str(key): self._clean(str(key), inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(name, inner) for inner in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self._clean_text(str(value))

    def _clean_text(self, text: str) -> str:
        # A traceback's last lines say most, so the middle goes; cut before masking, so that a megabyte of hostile
        # text costs no time.
        if len(text) > MAX_FIELD_CHARACTERS:
            text = text[: MAX_FIELD_CHARACTERS // 2] + " … " + text[-MAX_FIELD_CHARACTERS // 2 :]
        text = _URL_PASSWORD.sub(rf"\g<before>{MASK}", text)
        text = _PHONE.sub(rf"{MASK}\1", text)
        if self._known:
            text = self._known.sub(MASK, text)
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
