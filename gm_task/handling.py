"""Finds handlers and calls them: `/app/func` is the function `func(req, **params)` of the file app.py."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import structlog

from gm_task import retstat
from shared.file_modules import Signature, make_module, offer_modules, run_file, signature_of

log = structlog.get_logger(__name__)
BUILT_IN_HANDLERS = Path(__file__).parent / "handlers"
_PATH = re.compile(r"/([A-Za-z][A-Za-z0-9_]*)/([A-Za-z][A-Za-z0-9_]*)")
Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What a handler is told about who asks."""

    reqid: str
    """of this try"""
    username: str
    """the job's operator"""
    job_id: int = 0
    task_id: int = 0
    attempt: int = 0
    """how often the task was started; 1 for the first time"""
    context: Any = None
    """the run (`TaskContext`): progress, whether it must stop, and the worker's tools; None over HTTP"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler returned, or why it was not called."""

    stat: str
    data: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the answer as jobs and callers see it: result keys at the top level."""
        return {"stat": self.stat, **{name: value for name, value in self.data.items() if name != "stat"}}


class Handlers:
    """The handlers of several folders, the first folder's before the next one's; edited files count at once."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._loaded: dict[Path, tuple[Signature, ModuleType]] = {}
        _install_names()

    def find(self, path: str) -> Handler | None:
        """Return the function behind `/app/func`, None where there is none.

        Raises:
            Exception: whatever the handler's file raises when it is loaded.
        """
        named = _PATH.fullmatch(path)
        module = self._load(named[1]) if named else None
        function = vars(module).get(named[2]) if module and named else None
        return function if _is_handler(function, module) else None

    def call(self, path: str, request: Request, params: Mapping[str, Any]) -> Answer:
        """Call a handler once.

        Raises:
            BaseException: whatever the handler raises; TypeError where it returns something else than an answer.
        """
        handler = self.find(path)
        if handler is None:
            return Answer(retstat.ERR_HANDLER_NOT_EXISTS, {"msg": f"no handler {path} is here"})
        try:
            inspect.signature(handler).bind(request, **params)
        except TypeError as error:
            return Answer(retstat.ERR_BAD_PARAMS, {"msg": f"{path}: {error}"})
        return _read_answer(path, handler(request, **params))

    def _load(self, app: str) -> ModuleType | None:
        path = next((path for path in self._places(app) if path.is_file()), None)
        if path is None:
            return None
        signature = signature_of(path)
        known = self._loaded.get(path)
        if known is None or known[0] != signature:
            self._loaded[path] = known = (signature, run_file(path, signature))
            log.info("handlers_loaded", file=path.name)
        return known[1]

    def _places(self, app: str) -> list[Path]:
        return [place for folder in self._folders for place in (folder / f"{app}.py", folder / app / "__init__.py")]


def _is_handler(function: Any, module: ModuleType | None) -> bool:
    """Tell a handler from what its file imports, and from its helpers."""
    if not isinstance(function, FunctionType) or module is None or function.__module__ != module.__name__:
        return False
    return next(iter(inspect.signature(function).parameters), None) == "req"


def _read_answer(path: str, returned: Any) -> Answer:
    match returned:
        case str(stat):
            return Answer(stat, {})
        case (str(stat), {**data}) | (str(stat), {**data}, _):
            return Answer(stat, {str(name): value for name, value in data.items()})
    raise TypeError(f"{path} returned {type(returned).__name__}, not (stat, {{...}})")


def _install_names() -> None:
    """Make the imports of existing handler files resolve, unless a real `xlib` is installed."""
    offer_modules(
        {
            "xlib.retstat": retstat,
            "xlib.httpgateway": make_module("xlib.httpgateway", Request=Request),
            "xlib.middleware.funcattr": make_module("xlib.middleware.funcattr", api=lambda function: function),
        }
    )
