"""Finds plugins in their folders: new and edited files without a restart, a broken file without harm to the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from gm_async_task.workflow.compat import install_names
from gm_async_task.workflow.runner import WorkflowRunner
from shared.file_modules import Signature, run_file, signature_of
from shared.web import strict_json

log = structlog.get_logger(__name__)
BUILT_IN = Path(__file__).parents[1] / "plugins"
MAX_NAME_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A plugin file as it was when it was loaded."""

    signature: Signature
    types: dict[str, type[WorkflowRunner]] = field(default_factory=dict)
    problem: str | None = None
    """why it can't be used"""


class PluginApp:
    """What a file's `setup(app)` is given."""

    def __init__(self) -> None:
        self.types: dict[str, type[WorkflowRunner]] = {}

    def register_formatter(self, name: str, cls: type[WorkflowRunner]) -> None:
        """Offer jobs of the type `name`.

        Raises:
            ValueError: the name or the class is none.
        """
        if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME_CHARACTERS or name != name.strip():
            raise ValueError(f"a plugin's name is a text of 1 to {MAX_NAME_CHARACTERS} characters")
        if not strict_json.is_clean_text(name):
            raise ValueError("a plugin's name has a character that can't be stored")
        if not (isinstance(cls, type) and issubclass(cls, WorkflowRunner)):
            raise ValueError(f"{name} is no subclass of WorkflowRunner")
        self.types[name] = cls


class Plugins:
    """The plugins of several folders, the first folder's before the next one's; safe between threads."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._files: dict[Path, LoadedFile] = {}
        self._lock = threading.Lock()
        install_names()

    def find(self, name: str) -> type[WorkflowRunner] | None:
        """Return the class behind a job type as the files are now."""
        for loaded in self._look().values():
            if name in loaded.types:
                return loaded.types[name]
        return None

    def offers(self) -> list[dict[str, Any]]:
        """Return what people choose from: each job type, the first line about it, the schema of its job_extra."""
        types = {name: cls for loaded in reversed(self._look().values()) for name, cls in loaded.types.items()}
        return [{"job_type": name, **_described(cls)} for name, cls in sorted(types.items())]

    def names(self) -> list[str]:
        """Return every job type that is offered."""
        return sorted({name for loaded in self._look().values() for name in loaded.types})

    def problems(self) -> dict[str, str]:
        """Return the files that can't be used, each with the reason."""
        return {str(path): loaded.problem for path, loaded in self._look().items() if loaded.problem}

    def _look(self) -> dict[Path, LoadedFile]:
        """Load what is new or was edited, forget what is gone."""
        with self._lock:
            seen: dict[Path, LoadedFile] = {}
            for path, signature in self._list_files():
                known = self._files.get(path)
                seen[path] = known if known and known.signature == signature else _load(path, signature)
            self._files = seen
            return seen

    def _list_files(self) -> Iterator[tuple[Path, Signature]]:
        for folder in self._folders:
            try:
                paths = sorted(folder.glob("*.py"))
            except OSError as error:
                log.warning("plugin_folder_unreadable", folder=str(folder), problem=str(error))
                continue
            for path in paths:
                try:
                    signature = signature_of(path)
                except OSError:  # gone meanwhile
                    continue
                if path.name != "__init__.py":
                    yield path, signature


def _described(cls: type[WorkflowRunner]) -> dict[str, Any]:
    about = cls.__doc__ if isinstance(cls.__doc__, str) else ""
    return {"description": about.strip().partition("\n")[0], "schema": _sendable_schema(cls)}


def _sendable_schema(cls: type[WorkflowRunner]) -> Any:
    """Return the class's own JSON schema, None where it has none or something else under that name."""
    schema = getattr(cls, "schema", None)
    try:
        return strict_json.loads(strict_json.dumps(schema)) if isinstance(schema, dict) else None
    except (TypeError, ValueError, RecursionError):
        return None


def _load(path: Path, signature: Signature) -> LoadedFile:
    try:
        app = PluginApp()
        run_file(path, signature).setup(app)
    except (Exception, SystemExit) as error:  # whatever a file does when it is run, the others go on
        problem = f"{type(error).__name__}: {error}"[:1000]
        log.error("plugin_broken", file=str(path), problem=problem, exc_info=error)
        return LoadedFile(signature, problem=problem)
    log.info("plugin_loaded", file=str(path), types=sorted(app.types))
    return LoadedFile(signature, app.types)
