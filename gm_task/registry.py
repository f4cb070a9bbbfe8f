"""Which functions messages may name: those marked with `@task_function` in the configured modules, nothing else."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from shared.web.fields import DOTTED_PATH

if TYPE_CHECKING:
    from gm_task.context import TaskContext

Function = TypeVar("Function", bound=Callable[..., Any])
_MARK = "__task_function__"
MAX_NAME_CHARACTERS = 64
# Celery's options as the documents show them. The platform decides all of these itself: acknowledgement is early,
# the lease and `repeat` bring a lost run back, results go to the task (RELIABILITY.md section 3).
_DOCUMENTED_OPTIONS = frozenset(
    {"acks_late", "ignore_result", "max_retries", "queue", "reject_on_worker_lost", "soft_time_limit", "time_limit"}
)


class RegistryError(ValueError):
    """A task function can't be registered; the worker does not start."""


@overload
def task_function(function: Function) -> Function: ...
@overload
def task_function(*, name: str | None = None, **options: Any) -> Callable[[Function], Function]: ...
def task_function(function: Any = None, *, name: str | None = None, **options: Any) -> Any:
    """Mark a function as one that tasks may name, under its dotted path or `name`.

    It takes a `TaskContext`, and returns a JSON value (status 3) or an `Outcome`; what it raises ends its task
    as 5. Celery's documented options (`acks_late=True` ...) are accepted and ignored.

    Raises:
        TypeError: an option is none of those.
    """
    unknown = set(options) - _DOCUMENTED_OPTIONS
    if unknown:
        raise TypeError(f"@task_function does not take {', '.join(sorted(unknown))}")

    def mark(marked: Function) -> Function:
        setattr(marked, _MARK, name or f"{marked.__module__}.{marked.__qualname__}")
        return marked

    return mark if function is None else mark(function)


def load_functions(modules: Iterable[str]) -> dict[str, Callable[[TaskContext], Any]]:
    """Import the configured modules and return their task functions by name.

    Raises:
        RegistryError: a module is not there, a name is malformed, or two functions have one name.
    """
    functions: dict[str, Callable[[TaskContext], Any]] = {}
    for module in modules:
        for function in _marked(module):
            name = _checked_name(getattr(function, _MARK))
            if functions.setdefault(name, function) is not function:
                raise RegistryError(f"Two task functions have the name {name}.")
    return functions


def _marked(module: str) -> list[Callable[..., Any]]:
    try:
        loaded = importlib.import_module(module)  # from configuration, never from a message
    except ModuleNotFoundError as error:
        raise RegistryError(f"The module {module} of GM_TASK_FUNCTIONS can't be imported: {error}.") from error
    return [member for member in vars(loaded).values() if callable(member) and _MARK in getattr(member, "__dict__", {})]


def _checked_name(name: str) -> str:
    if len(name) > MAX_NAME_CHARACTERS or not DOTTED_PATH.fullmatch(name):
        raise RegistryError(
            f"The task function name {name} is not a dotted path of at most {MAX_NAME_CHARACTERS} characters."
        )
    return name
