"""What a plugin subclasses: it checks what a job was given, and adds the job's tasks."""

from __future__ import annotations

from typing import Any

from gm_async_task.workflow.graph import GraphRefused, PlannedTask
from gm_async_task.workflow.params import MAX_PARAMS_DEPTH
from shared.web import strict_json


class WorkflowRunner:
    """Describes the jobs of one type; made anew for each job."""

    job_extra: dict[str, Any]
    """what the creator of the job gave"""
    job_timeout: int = 0
    """seconds; set in params_check it wins over the request's"""
    job_locks: str = ""
    """names of locks, "a,b": of all jobs that name one, one runs"""
    job_tags: str = ""
    """what statistics tell apart, "region=bj,flag=redis" """

    def __init__(self) -> None:
        self.planned: list[PlannedTask] = []

    def params_check(self) -> None:
        """Raise to refuse the job; may set job_timeout, job_locks and job_tags."""

    def workflow(self) -> None:
        """Call `add_task` for each task."""
        raise NotImplementedError("the plugin has no workflow")

    @classmethod
    def job_notifier(cls, job_obj: Any) -> None:
        """Be told that a job started, finished or failed; at least once each, after it is so."""

    def add_task(  # noqa: PLR0917 existing plugins may give them by place
        self,
        label: str,
        cmd: str,
        params: dict[str, Any] | None = None,
        requires: list[str] | None = None,
        provides: list[str] | None = None,
        dependencies: list[str] | None = None,
        retrymax: int = 0,
        is_save: bool = False,
        timeout: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Add a task behind those that it depends on.

        Raises:
            GraphRefused: what it is given is of the wrong kind.
        """
        planned = PlannedTask(
            label=_text(label, "label"),
            cmd=_text(cmd, "cmd"),
            params=None if params is None else _object(params, "params"),
            requires=_names(requires, "requires"),
            provides=_names(provides, "provides"),
            dependencies=_names(dependencies, "dependencies"),
            retry_max=_whole(retrymax, "retrymax"),
            is_save=bool(is_save),
            timeout_seconds=None if timeout is None else _whole(timeout, "timeout"),
            extra=_object(extra or {}, "extra"),
        )
        # A subclass with an __init__ of its own need not know ours.
        self.__dict__.setdefault("planned", []).append(planned)


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise GraphRefused(f"a task's {what} is a text, not {type(value).__name__}")
    return value


def _whole(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**31 - 1:
        raise GraphRefused(f"a task's {what} is a whole number")
    return value


def _names(value: object, what: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(name, str) for name in value):
        raise GraphRefused(f"a task's {what} are a list of texts")
    return tuple(dict.fromkeys(value))


def _object(value: object, what: str) -> str:
    """Write an object as JSON, and see that every later reader takes it."""
    if not isinstance(value, dict):
        raise GraphRefused(f"a task's {what} are an object")
    try:
        text = strict_json.dumps(value)
        strict_json.loads(text, MAX_PARAMS_DEPTH)
    except (TypeError, ValueError, RecursionError) as error:
        raise GraphRefused(f"a task's {what} can't be kept as JSON: {error}") from None
    return text
