"""gm_async_task that is killed at a named step, for tests: `gunicorn tests.support.dying_service:app`.

A file of the step's name in the folder GM_DEATHS arms it; the number in it is how many passes are let through before.
gunicorn's master starts the next process, as it does after a real crash.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gm_async_task.tasks.runs import RunService
from gm_async_task.workflow import engine, notices
from gm_async_task.workflow.advance import Advance
from gm_async_task.workflow.notices import Notifier

ARMED = Path(os.environ["GM_DEATHS"])
_one_at_a_time = threading.Lock()


def pass_by(step: str) -> None:
    """Die here if the step is armed and its turn has come."""
    file = ARMED / step
    with _one_at_a_time:
        if not step or not file.exists():
            return
        left = int(file.read_text())
        if left:
            file.write_text(str(left - 1))
            return
        file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def dying(function: Callable[..., Any], before: str = "", after: str = "") -> Callable[..., Any]:
    """Return the function with the steps before and after it."""

    def call(*args: Any, **options: Any) -> Any:
        pass_by(before)
        result = function(*args, **options)
        pass_by(after)
        return result

    return call


notices.CLAIM_SECONDS = 1  # somebody else tries a notice again soon
Advance.go_on = dying(Advance.go_on, after="before_commit")  # type: ignore[method-assign]
engine.ring_bells = dying(engine.ring_bells, before="before_ring", after="after_ring")
RunService.start_task = dying(RunService.start_task, after="after_claim")  # type: ignore[method-assign]
Notifier._deliver = dying(Notifier._deliver, before="before_notice", after="after_notice")  # type: ignore[method-assign]

from gm_async_task.wsgi import app  # noqa: E402 made of the parts above

__all__ = ["app"]
