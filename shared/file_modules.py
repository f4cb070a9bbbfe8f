"""Python files that an operator puts into a folder (plugins, handlers), run as modules of this process."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

Signature = tuple[int, int]
"""when a file was changed, in nanoseconds, and how many bytes it has"""


def signature_of(path: Path) -> Signature:
    """Return what tells one state of a file from the next.

    Raises:
        OSError: it can't be read.
    """
    about = path.stat()
    return about.st_mtime_ns, about.st_size


def run_file(path: Path, signature: Signature) -> ModuleType:
    """Run the file as a module of its own name, so that no edit meets what an earlier one left.

    Raises:
        BaseException: whatever the file raises; ImportError where it is none.
    """
    name = f"gm_file_{path.stem}_{sha256(f'{path}{signature}'.encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        # From its text: compiled files are told apart by whole seconds only, and an edit may come within one.
        code = spec.loader.source_to_code(path.read_bytes(), str(path))  # type: ignore[attr-defined]
        _execute(code, module.__dict__)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _execute(code: CodeType, names: dict[str, Any]) -> None:
    # A file that the operator put into a folder named by the settings, as code of the service's own.
    exec(code, names)  # noqa: S102  # nosec B102


def offer_modules(modules: Mapping[str, Any]) -> None:
    """Let dotted names be imported that existing files import, unless a real package of that name is installed.

    Repeating it changes nothing.
    """
    for dotted, module in modules.items():
        root = dotted.partition(".")[0]
        if dotted in sys.modules or (root not in sys.modules and importlib.util.find_spec(root) is not None):
            continue
        sys.modules[dotted] = module
        _nest(dotted, module)


def make_module(name: str, **members: Any) -> ModuleType:
    """Return a module that stands for one of an existing file's imports."""
    module = ModuleType(name, "Stands for the module of this name that existing files import.")
    module.__dict__.update(members)
    return module


def _nest(dotted: str, module: Any) -> None:
    """Hang a module into its parents, which are made where they are missing."""
    parent_name, _, name = dotted.rpartition(".")
    if not parent_name:
        return
    parent = sys.modules.get(parent_name)
    if parent is None:
        parent = make_module(parent_name)
        parent.__path__ = []
        sys.modules[parent_name] = parent
        _nest(parent_name, parent)
    setattr(parent, name, module)
