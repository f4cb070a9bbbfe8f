"""What operators read when a program can't start: a sentence that says what to mend; no traceback, and no values,
which may be secrets.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError
from pydantic_settings import SettingsError

from shared.errors import CannotStart, PlatformError

CANNOT_START = 3
"""the status: gunicorn ends for good when a process of its ends so at its start, instead of starting ever more"""
_CANNOT_START_UNDER_UWSGI = 22
"""what uWSGI has in its place"""
_SETTINGS_ARE_IN = "docs/operations.md lists every setting"


@contextmanager
def starting(name: str) -> Iterator[None]:
    """End the process with a sentence on stderr where its settings are wrong, or what it needs at its start refuses.

    Raises:
        SystemExit: with the status CANNOT_START.
    """
    try:
        yield
    except (ValidationError, SettingsError) as error:
        why = f"{_tell_of_settings(error)}; {_SETTINGS_ARE_IN}"
    except (CannotStart, PlatformError) as error:
        why = str(error)
    else:
        return
    sys.stderr.write(f"{name} does not start: {why.removesuffix('.')}.\n")
    sys.stderr.flush()
    raise SystemExit(_CANNOT_START_UNDER_UWSGI if "uwsgi" in sys.modules else CANNOT_START)


def _tell_of_settings(error: ValidationError | SettingsError) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            _tell_of_one(".".join(map(str, each["loc"])), each["type"], each["msg"])
            for each in error.errors(include_input=False, include_url=False, include_context=False)
        )
    named = re.search(r'field "(\w+)"', str(error))
    return f"GM_{named[1].upper()} is no JSON" if named else "a setting can't be read"


def _tell_of_one(name: str, kind: str, message: str) -> str:
    if kind == "missing":
        return f"GM_{name.upper()} is missing"
    said = message.removeprefix("Value error, ")
    return f"GM_{name.upper()}: {said}" if name else said
