"""The little path grammar that names one place inside a task's JSON result: `$.rows[3].status`.

Parsed and applied by our own code, because the JSON functions of SQLite, MariaDB and MySQL differ on an index
past the end, on missing parents and on wildcards (docs/decisions/0002-json-paths.md). Grammar: `$`, then any
of `.name`, `."quoted name"`, `[n]`; at most 16 steps; parents must exist; `n` may be the length, which appends.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any

from shared.errors import InvalidPath
from shared.web import strict_json

MAX_STEPS = 16
MAX_CHARACTERS = 1024
_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)     # .name
      | \."(?P<quoted>(?:[^"\\]|\\["\\])*)"    # ."any text", with \" and \\ for themselves
      | \[(?P<index>0|[1-9][0-9]{0,8})\]       # [n]
    """,
    re.VERBOSE,
)

Step = str | int


def parse(path: str) -> tuple[Step, ...]:
    """Return the steps of `path`: member names and list indexes; `$` alone has none.

    Raises:
        InvalidPath: naming what is wrong.
    """
    if len(path) > MAX_CHARACTERS:
        raise InvalidPath(path=path[:40] + "…", problem=f"it is longer than {MAX_CHARACTERS} characters")
    if not path.startswith("$"):
        raise InvalidPath(path=_shown(path), problem="it must begin with $")
    steps: list[Step] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise InvalidPath(path=_shown(path), problem=f"character {position + 1} begins no step .name or [n]")
        steps.append(_step(match))
        position = match.end()
    if len(steps) > MAX_STEPS:
        raise InvalidPath(path=_shown(path), problem=f"it has more than {MAX_STEPS} steps")
    if not all(strict_json.is_clean_text(step) for step in steps if isinstance(step, str)):
        raise InvalidPath(path=_shown(path), problem="a name has a character that can't be stored")
    return tuple(steps)


def put(document: Any, path: str, value: Any) -> Any:
    """Return a copy of `document` with `value` at `path`; a null document begins as {} or [].

    Raises:
        InvalidPath: the path is malformed, a parent is missing, or an index is past the end.
    """
    return put_all(document, [(path, value)])


def put_all(document: Any, changes: Iterable[tuple[str, Any]]) -> Any:
    """Return a copy of `document` with each (path, value) put in, one after the other; see `put`."""
    own: dict[int, Any] = {}
    for path, value in changes:
        document = _put(document, path, value, own)
    return document


def _put(document: Any, path: str, value: Any, own: dict[int, Any]) -> Any:
    steps = parse(path)
    if not steps:
        return value
    if document is None:
        document = [] if isinstance(steps[0], int) else {}
    changed = container = _owned(document, own)
    for step in steps[:-1]:
        inner = _owned(_child(container, step, path), own)
        container[step] = inner
        container = inner
    _assign(container, steps[-1], value, path)
    return changed


def _owned(container: Any, own: dict[int, Any]) -> Any:
    """Return a copy that may be changed, made once: a result of 10,000 rows is not copied for each of its rows.

    `own` keeps the copies alive, so that no id comes twice.
    """
    if id(container) in own:
        return container
    copied = copy.copy(container)
    own[id(copied)] = copied
    return copied


def _step(match: re.Match[str]) -> Step:
    if match["index"] is not None:
        return int(match["index"])
    if match["name"] is not None:
        return match["name"]
    return re.sub(r"\\(.)", r"\1", match["quoted"])


def _child(container: Any, step: Step, path: str) -> Any:
    _check_kind(container, step, path)
    if isinstance(step, int) and step >= len(container):
        raise InvalidPath(path=_shown(path), problem=f"there is no [{step}] yet")
    if isinstance(step, str) and step not in container:
        raise InvalidPath(path=_shown(path), problem=f"there is no member {step[:40]!r} yet")
    return container[step]


def _assign(container: Any, step: Step, value: Any, path: str) -> None:
    _check_kind(container, step, path)
    if isinstance(step, str) or step < len(container):
        container[step] = value
    elif step == len(container):
        container.append(value)
    else:
        raise InvalidPath(path=_shown(path), problem=f"the list has {len(container)} items, [{step}] is past its end")


def _check_kind(container: Any, step: Step, path: str) -> None:
    if isinstance(step, int) and not isinstance(container, list):
        raise InvalidPath(path=_shown(path), problem=f"[{step}] needs a list there")
    if isinstance(step, str) and not isinstance(container, dict):
        raise InvalidPath(path=_shown(path), problem=f"the member {step[:40]!r} needs an object there")


def _shown(path: str) -> str:
    return path[:100].encode("utf-8", "backslashreplace").decode()
